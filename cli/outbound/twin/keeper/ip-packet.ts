import { writtenAddress } from './written-address.ts'

/** One side of a connection. */
export interface Endpoint {
  /** As `written-address.ts` writes it. */
  readonly address: string
  readonly port: number
}

/** What the twin looks at in a packet (RFC 791, 8200, 768, 9293). */
export interface IpPacket {
  readonly protocol: 'tcp' | 'udp'
  readonly from: Endpoint
  readonly to: Endpoint
  /** Of a datagram; empty for TCP. A view on the packet. */
  readonly payload: Buffer
}

/** What an IP header says, whatever its version. */
interface IpHeader {
  /** Number of what it carries. */
  readonly protocol: number
  readonly from: Buffer
  readonly to: Buffer
  /** What it carries. */
  readonly body: Buffer
}

const protocols: Readonly<Record<number, IpPacket['protocol']>> = { 6: 'tcp', 17: 'udp' }
/** Headers of IPv6 that may stand before what a packet carries. */
const Extension = { HopByHop: 0, Routing: 43, Fragment: 44, Destination: 60 } as const
const extensions: ReadonlySet<number> = new Set(Object.values(Extension))

/** undefined for what is not whole, not IP, or neither TCP nor UDP. */
export function parsePacket(bytes: Buffer): IpPacket | undefined {
  const header = headerOf(bytes)
  const protocol = protocols[header?.protocol ?? -1]
  if (!header || protocol === undefined || header.body.length < 8) return undefined
  const { from, to, body } = header
  const packet = {
    protocol,
    from: { address: writtenAddress(from), port: body.readUInt16BE(0) },
    to: { address: writtenAddress(to), port: body.readUInt16BE(2) },
  }
  if (protocol === 'tcp') return { ...packet, payload: Buffer.alloc(0) }
  const length = body.readUInt16BE(4)
  if (length < 8 || length > body.length) return undefined
  return { ...packet, payload: body.subarray(8, length) }
}

function headerOf(bytes: Buffer): IpHeader | undefined {
  const version = (bytes[0] ?? 0) >> 4
  if (version === 4) return headerOfIPv4(bytes)
  return version === 6 ? headerOfIPv6(bytes) : undefined
}

function headerOfIPv4(bytes: Buffer): IpHeader | undefined {
  const length = ((bytes[0] ?? 0) & 0x0f) * 4
  if (length < 20 || bytes.length < length) return undefined
  return {
    protocol: bytes[9] ?? 0,
    from: bytes.subarray(12, 16),
    to: bytes.subarray(16, 20),
    body: bytes.subarray(length),
  }
}

function headerOfIPv6(bytes: Buffer): IpHeader | undefined {
  if (bytes.length < 40) return undefined
  const end = 40 + bytes.readUInt16BE(4)
  let protocol = bytes[6] ?? 0
  let at = 40
  while (extensions.has(protocol)) {
    // Beyond the end nothing is read: what is cut is not whole.
    if (at + 8 > Math.min(end, bytes.length)) return undefined
    const isFragment = protocol === Extension.Fragment
    // Of a packet in parts none has all; with a way still to go the address is not the last one.
    if (isFragment && (bytes.readUInt16BE(at + 2) & 0xfff9) !== 0) return undefined
    if (protocol === Extension.Routing && bytes[at + 3] !== 0) return undefined
    protocol = bytes[at] ?? 0
    at += isFragment ? 8 : 8 + 8 * (bytes[at + 1] ?? 0)
  }
  if (end > bytes.length || at > end) return undefined
  return { protocol, from: bytes.subarray(8, 24), to: bytes.subarray(24, 40), body: bytes.subarray(at, end) }
}
