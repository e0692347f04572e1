import { BlockList } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import type { IPv6Kind } from '../../src/dns/resolver-settings.ts'

const ofOneLink = new BlockList()
ofOneLink.addSubnet('fe80::', 10, 'ipv6')
const uniqueLocal = new BlockList()
uniqueLocal.addSubnet('fc00::', 7, 'ipv6')

/** Which kind of IPv6 address a pod has; the wider where it has both. @param interfaces from `os.networkInterfaces` */
export function ipv6KindOf(
  interfaces: Readonly<
    Record<string, readonly Pick<NetworkInterfaceInfo, 'address' | 'family' | 'internal'>[] | undefined>
  >,
): IPv6Kind | undefined {
  const addresses = Object.values(interfaces)
    .flatMap((all) => all ?? [])
    .filter(({ family, internal }) => family === 'IPv6' && !internal)
    .map(({ address }) => address)
    .filter((address) => !ofOneLink.check(address, 'ipv6'))
  if (addresses.length === 0) return undefined
  return addresses.every((address) => uniqueLocal.check(address, 'ipv6')) ? 'unique-local' : 'global'
}
