/** Where something listens. */
export interface ListeningPort {
  readonly port: number
  /** '0.0.0.0' and '::' for all; an IPv4 address within IPv6 is written as that. */
  readonly address: string
}

/** Whether a connection to this IPv4 address would be accepted. All of IPv6 mostly means both families. */
export const accepts = (all: readonly ListeningPort[], address: string, port: number): boolean =>
  all.some((one) => one.port === port && [address, '0.0.0.0', '::'].includes(one.address))

/** Where to dial what listens at the port, in the order in which it is tried. */
export function dialAddresses(all: readonly ListeningPort[], port: number): string[] {
  const own = all.filter((one) => one.port === port).map(({ address }) => address)
  const hosts = own.map((address) => (address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address))
  return [...new Set(hosts)].sort((a, b) => Number(b === '127.0.0.1') - Number(a === '127.0.0.1'))
}

/** @param bytes 4 or 16, in the order of the network */
export function writtenAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff
  if (isMapped) return bytes.subarray(12).join('.')
  const last = bytes[15] ?? 0
  if (bytes.subarray(0, 15).every((byte) => byte === 0) && last <= 1) return last === 0 ? '::' : '::1'
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(':')
}
