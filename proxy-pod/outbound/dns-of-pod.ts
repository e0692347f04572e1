import { getServers } from 'node:dns'
import type { ClusterServices } from './cluster-services.ts'
import { isLoopback, type OwnPod } from './denied.ts'
import { ClusterZone } from './dns/cluster-zone.ts'
import { HostNames } from './dns/host-names.ts'
import { LaptopDns } from './dns/laptop-dns.ts'
import { NameServers } from './dns/name-servers.ts'
import type { ResolvConf } from './resolv-conf.ts'
import type { Address } from './resolve.ts'
import { clusterDomainOf, isOfPod } from './search-list.ts'

const dnsPort = 53

/** The DNS for laptops, from what this pod has: the cluster's, or where it has none, the API and the machine's own. */
export function dnsOfPod(conf: ResolvConf, own: OwnPod, services: ClusterServices): LaptopDns {
  const { searchList, nameservers } = conf
  // Pods on loopback have the resolv.conf of their machine; that may itself be a pod, of another cluster.
  const hasClusterDns = isOfPod(searchList) && !own.ips.some(isLoopback)
  if (hasClusterDns) {
    const servers = nameservers.map((host) => ({ host, port: dnsPort }))
    return new LaptopDns({ upstream: new NameServers(servers), zone: undefined, searchList })
  }
  const upstream = new HostNames(new NameServers(getServers().map(serverOf)))
  return new LaptopDns({ upstream, zone: new ClusterZone(services, clusterDomainOf(searchList)), searchList })
}

/** As `dns.getServers` writes them: a port only where it is another one. */
function serverOf(text: string): Address {
  const [, bracketed, v6Port] = /^\[(.+)\]:(\d+)$/.exec(text) ?? []
  if (bracketed !== undefined) return { host: bracketed, port: Number(v6Port) }
  const [, host = text, port] = /^([^:]+):(\d+)$/.exec(text) ?? []
  return { host, port: port === undefined ? dnsPort : Number(port) }
}
