/** Limits of HTTP/1.1 messages, both directions. Bytes. */
export const httpLimits = {
  /** Request line or status line with all fields. */
  headBytes: 64 * 1024,
  /** A chunk's size with its extensions. */
  chunkLineBytes: 4 * 1024,
  trailerBytes: 16 * 1024,
}
