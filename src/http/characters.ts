/** What one byte may be part of (RFC 9110, 5.6.2 and 5.5). Tables: bytes are looked up in the hot path. */
const table = (allowed: (byte: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (allowed(byte) ? 1 : 0))

/** Methods and field names: `token`. */
export const isTokenByte = table((byte) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)))
/** Field values: visible, obs-text, space, tab. */
export const isValueByte = table((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f))
/** Request targets: anything but controls and space. Bytes past ASCII are no URI, but harmless and in use. */
export const isTargetByte = table((byte) => byte > 0x20 && byte !== 0x7f)
