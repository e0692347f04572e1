import { plainAddress } from '../../../../src/ip-address.ts'

/**
 * An address as Node writes that of a socket, but IPv4 within IPv6 is written as IPv4.
 * @param bytes 4 or 16, in the order of the network
 */
export function writtenAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  return plainAddress(Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(':'))
}
