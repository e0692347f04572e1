import { isIP } from 'node:net'
import { type DnsAnswer, type DnsRecord, Rcode, type RecordType } from '../../../src/dns/message.ts'
import type { EndpointSlice, Service } from '../../../src/kube/objects.ts'
import { dashed } from '../cluster-name.ts'
import { type ClusterServices, clusterIPsOf } from '../cluster-services.ts'
import { type ZoneName, zoneNameOf } from './zone-name.ts'

/** How long what we say may be believed, in seconds: as CoreDNS has it. */
const ttl = 5

type Found =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly ports: readonly PortTarget[] }
  | { readonly kind: 'alias'; readonly target: string }
  /** There is such a name, and nothing of it. */
  | { readonly kind: 'bare' }
  | { readonly kind: 'none' }

/** What an SRV record leads to. */
interface PortTarget {
  readonly target: string
  readonly port: number
}

type NameOf<Kind extends ZoneName['kind']> = Extract<ZoneName, { kind: Kind }>
type NameOfService = NameOf<'service' | 'endpoint' | 'port'>

/** The records of another name, asked for where an alias leads to it. */
export type Follow = (name: string, type: RecordType) => Promise<readonly DnsRecord[]>

/** Names of the cluster's domain, answered from the API for a cluster that has no DNS. */
export class ClusterZone {
  readonly #services: ClusterServices
  readonly #domain: string

  constructor(services: ClusterServices, domain: string) {
    this.#services = services
    this.#domain = domain
  }

  /** Undefined: a name of elsewhere. @param asked without a final dot, as it was written @throws KubeError */
  async answer(asked: string, type: RecordType, follow: Follow): Promise<DnsAnswer | undefined> {
    const name = zoneNameOf(asked.toLowerCase(), this.#domain)
    if (!name) return undefined
    const found = await this.#find(name)
    const records = await recordsOf(asked, type, found, follow)
    const rcode = found.kind === 'none' ? Rcode.NameError : Rcode.NoError
    const authorities = records.length === 0 ? [this.#authority()] : []
    return { rcode, records, authorities, authoritative: true }
  }

  async #find(name: ZoneName): Promise<Found> {
    switch (name.kind) {
      case 'apex':
        return { kind: 'bare' }
      case 'namespace':
        // The proxy pod may not read namespaces.
        return (await this.#services.all(name.namespace)).length > 0 ? { kind: 'bare' } : { kind: 'none' }
      case 'pod':
        return isIP(name.address) > 0 ? { kind: 'addresses', addresses: [name.address], ports: [] } : { kind: 'none' }
      case 'service':
      case 'endpoint':
      case 'port':
        return this.#ofService(name)
      case 'nothing':
        return { kind: 'none' }
      default:
        return name satisfies never
    }
  }

  async #ofService(name: NameOfService): Promise<Found> {
    const service = await this.#services.find(name.namespace, name.service)
    if (!service) return { kind: 'none' }
    if (service.spec.type === 'ExternalName') {
      return name.kind === 'endpoint' ? { kind: 'none' } : { kind: 'alias', target: service.spec.externalName ?? '' }
    }
    const clusterIPs = clusterIPsOf(service)
    const full = `${name.service}.${name.namespace}.svc.${this.#domain}`
    if (name.kind !== 'endpoint' && clusterIPs.length > 0) return ofClusterIPs(name, service, clusterIPs, full)
    return ofEndpoints(name, await this.#services.slices(name.namespace, name.service), full)
  }

  /** RFC 2308: how long that there is nothing may be believed. */
  #authority(): DnsRecord {
    const data = {
      mname: `ns.dns.${this.#domain}`,
      rname: `hostmaster.${this.#domain}`,
      serial: Math.floor(Date.now() / 1_000),
      refresh: 7_200,
      retry: 1_800,
      expire: 86_400,
      minimum: ttl,
    }
    return { type: 'SOA', name: this.#domain, ttl, data }
  }
}

function ofClusterIPs(name: NameOfService, { spec }: Service, clusterIPs: readonly string[], full: string): Found {
  const ports = (spec.ports ?? []).filter((port) => isAsked(name, port))
  if (ports.length === 0) return { kind: 'none' }
  return { kind: 'addresses', addresses: clusterIPs, ports: ports.map(({ port }) => ({ target: full, port })) }
}

/** Of ready endpoints only; a name that leads to none does not exist (so CoreDNS). */
function ofEndpoints(name: NameOfService, slices: readonly EndpointSlice[], full: string): Found {
  const addresses = new Set<string>()
  const targets = new Map<string, PortTarget>()
  for (const slice of slices) {
    const ports = (slice.ports ?? []).filter((port) => isAsked(name, port))
    if (ports.length === 0 && name.kind === 'port') continue
    for (const { addresses: own, hostname, conditions } of slice.endpoints ?? []) {
      if (conditions?.ready === false) continue
      for (const address of own) {
        const label = hostname ?? dashed(address)
        if (name.kind === 'endpoint' && name.endpoint !== label) continue
        addresses.add(address)
        const target = `${label}.${full}`
        for (const { port } of ports) if (port != null) targets.set(`${target} ${port}`, { target, port })
      }
    }
  }
  if (addresses.size === 0) return { kind: 'none' }
  return { kind: 'addresses', addresses: [...addresses], ports: [...targets.values()] }
}

/** A name without a port asks for all of them. */
function isAsked(name: NameOfService, port: { name?: string | undefined; protocol?: string | undefined }): boolean {
  if (name.kind !== 'port') return true
  return port.name === name.port && (port.protocol ?? 'TCP').toLowerCase() === name.protocol
}

async function recordsOf(name: string, type: RecordType, found: Found, follow: Follow): Promise<DnsRecord[]> {
  if (found.kind === 'alias') {
    const alias: DnsRecord = { type: 'CNAME', name, ttl, data: found.target }
    return type === 'CNAME' ? [alias] : [alias, ...(await follow(found.target, type))]
  }
  if (found.kind !== 'addresses') return []
  switch (type) {
    case 'A':
      return found.addresses.filter((one) => isIP(one) === 4).map((data) => ({ type: 'A', name, ttl, data }))
    case 'AAAA':
      return found.addresses.filter((one) => isIP(one) === 6).map((data) => ({ type: 'AAAA', name, ttl, data }))
    case 'SRV': {
      const weight = Math.max(1, Math.floor(100 / Math.max(1, found.ports.length)))
      return found.ports.map((data) => ({ type: 'SRV', name, ttl, data: { priority: 0, weight, ...data } }))
    }
    default:
      return []
  }
}
