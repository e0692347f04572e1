import { isIPv6, SocketAddress } from 'node:net'

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/
/** Of NAT64 (RFC 6052): what is behind the last 32 bits is the IPv4 address that they are. */
const translated = /^64:ff9b::(?:(?:([\da-f]{1,4}):)?([\da-f]{1,4}))?$/

/**
 * An IP address in the one spelling in which addresses are compared: IPv6 as the system writes it (RFC 5952), without a
 * zone; IPv4 within IPv6 as IPv4.
 */
export function plainAddress(address: string): string {
  if (!isIPv6(address)) return address
  const [withoutZone = ''] = address.split('%')
  const written = new SocketAddress({ address: withoutZone, family: 'ipv6' }).address
  return mapped.exec(written)?.[1] ?? written
}

/** As in a URL: IPv6 in brackets. @param host an address or a name */
export const hostPort = (host: string, port: number | string): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`

/** The address itself, plainly written, and the IPv4 address that a gateway makes of it, if one does. */
export function addressesMeant(address: string): string[] {
  const plain = plainAddress(address)
  const [found, high = '0', low = '0'] = translated.exec(plain) ?? []
  if (found === undefined) return [plain]
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [plain, [a >> 8, a & 0xff, b >> 8, b & 0xff].join('.')]
}
