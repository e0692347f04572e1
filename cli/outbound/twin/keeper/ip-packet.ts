/** One side of a connection. IPv4, dotted. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** What the twin looks at in an IPv4 packet (RFC 791, 768, 9293). */
export interface IpPacket {
  readonly protocol: 'tcp' | 'udp'
  readonly from: Endpoint
  readonly to: Endpoint
  /** Of a datagram; empty for TCP. A view on the packet. */
  readonly payload: Buffer
}

const protocols: Readonly<Record<number, IpPacket['protocol']>> = { 6: 'tcp', 17: 'udp' }

/** undefined for what is not whole, not IPv4, or neither TCP nor UDP. */
export function parsePacket(bytes: Buffer): IpPacket | undefined {
  const first = bytes[0] ?? 0
  const headerBytes = (first & 0x0f) * 4
  const protocol = protocols[bytes[9] ?? 0]
  if (first >> 4 !== 4 || headerBytes < 20 || protocol === undefined || bytes.length < headerBytes + 8) return undefined
  const at = (offset: number): Endpoint['address'] => bytes.subarray(offset, offset + 4).join('.')
  const packet = {
    protocol,
    from: { address: at(12), port: bytes.readUInt16BE(headerBytes) },
    to: { address: at(16), port: bytes.readUInt16BE(headerBytes + 2) },
  }
  if (protocol === 'tcp') return { ...packet, payload: Buffer.alloc(0) }
  const length = bytes.readUInt16BE(headerBytes + 4)
  const end = headerBytes + length
  if (length < 8 || end > bytes.length) return undefined
  return { ...packet, payload: bytes.subarray(headerBytes + 8, end) }
}
