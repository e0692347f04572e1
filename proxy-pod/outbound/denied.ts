import { BlockList, isIP } from 'node:net'
import { addressesMeant, plainAddress } from '../../src/ip-address.ts'

/** What is our own among the addresses. */
export interface OwnPod {
  readonly ips: readonly string[]
  readonly gatewayPort: number
}

/** The kubelet's ports, on every node. */
const kubeletPorts: ReadonlySet<number> = new Set([10_250, 10_255])

const nobodys = new BlockList()
nobodys.addSubnet('0.0.0.0', 8)
nobodys.addAddress('::', 'ipv6')
// Metadata services of clouds: whoever reaches one has the node's rights.
nobodys.addSubnet('169.254.0.0', 16)
nobodys.addSubnet('fe80::', 10, 'ipv6')
nobodys.addAddress('fd00:ec2::254', 'ipv6')
// Of Amazon for the roles of pods, and of Google.
nobodys.addAddress('fd00:ec2::23', 'ipv6')
nobodys.addAddress('fd20:ce::254', 'ipv6')
nobodys.addAddress('168.63.129.16')
nobodys.addAddress('100.100.100.200')
nobodys.addAddress('192.0.0.192')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Also of an IPv4 address that is written as one of IPv6. */
export const isLoopback = (address: string): boolean => isIn(loopback, plainAddress(address))

const isIn = (list: BlockList, address: string): boolean => list.check(address, familyOf(address))

/** Addresses where no laptop may go, whatever its reach. */
export class Denied {
  readonly #own: OwnPod
  /** Where the pods of a cluster on one machine are: the 65,536 addresses around ours. */
  readonly #neighbours = new BlockList()

  constructor(own: OwnPod) {
    this.#own = own
    for (const ip of own.ips) {
      if (isIP(ip) === 4 && isLoopback(ip)) this.#neighbours.addSubnet(ip.replace(/\.\d+\.\d+$/, '.0.0'), 16)
    }
  }

  /** Why nobody may go to this address; undefined where it is allowed. */
  why(address: string, port: number): string | undefined {
    if (addressesMeant(address).some((one) => this.#isNobodys(one, port))) {
      return `${address} belongs to the proxy pod itself, to its node or to the cloud's metadata`
    }
    return kubeletPorts.has(port) ? `port ${port} is the kubelet's` : undefined
  }

  /** @param address in its plain spelling */
  #isNobodys(address: string, port: number): boolean {
    const { ips, gatewayPort } = this.#own
    const isForeign = isLoopback(address) && !isIn(this.#neighbours, address)
    const isGateway = port === gatewayPort && ips.some((ip) => sameAddress(ip, address))
    return isForeign || isGateway || isIn(nobodys, address)
  }
}

/** IPv6 has several spellings of one address, and one for each of IPv4. */
export const sameAddress = (one: string, other: string): boolean =>
  one === other || plainAddress(one) === plainAddress(other)
