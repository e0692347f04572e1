import { isIPv4 } from 'node:net'

/** Where something listens. */
export interface ListeningPort {
  readonly port: number
  /** '0.0.0.0' and '::' for all; an IPv4 address within IPv6 is written as that. */
  readonly address: string
}

/** Whether a connection to this address would be accepted. All of IPv6 mostly means both families. */
export function accepts(all: readonly ListeningPort[], address: string, port: number): boolean {
  const addresses = [address, '::', ...(isIPv4(address) ? ['0.0.0.0'] : [])]
  return all.some((one) => one.port === port && addresses.includes(one.address))
}

/** Where to dial what listens at the port, in the order in which it is tried. */
export function dialAddresses(all: readonly ListeningPort[], port: number): string[] {
  const own = all.filter((one) => one.port === port).map(({ address }) => address)
  const hosts = own.map((address) => (address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address))
  return [...new Set(hosts)].sort((a, b) => Number(b === '127.0.0.1') - Number(a === '127.0.0.1'))
}
