import { lookup as dnsLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { codeOf, InterceptError } from '../../src/errors.ts'
import { hostPort } from '../../src/ip-address.ts'
import { isKubeError } from '../../src/kube/error.ts'
import type { Service } from '../../src/kube/objects.ts'
import { originEndpoints, routableAddresses } from '../../src/takeover/endpoints.ts'
import { type ClusterName, clusterNameOf, dashed } from './cluster-name.ts'
import { type ClusterServices, clusterIPsOf } from './cluster-services.ts'
import { type Denied, sameAddress } from './denied.ts'
import type { Destination } from './destination.ts'
import { leadsAnywhere, leadsTo, outOfReach, type Reach } from './reach.ts'
import { clusterDomainOf, fullNames, type SearchList, searchListFor } from './search-list.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** All addresses of a full name. Rejects as `dns.lookup` does. */
export type Lookup = (fullName: string) => Promise<readonly string[]>

type ServiceDestination = Extract<Destination, { kind: 'service' }>
type HostDestination = Extract<Destination, { kind: 'host' }>

/** The port that is asked for, of whatever the name is. */
type Port = Pick<Destination, 'port' | 'protocol'>

/** An alias may lead to an alias; so many, then it is a circle. */
const mostAliases = 8

/** Of names to which nothing is appended. */
const wholeNames: SearchList = { domains: [], ndots: 0 }

/** A final dot keeps the resolver's own search list away. */
const systemLookup: Lookup = async (fullName) =>
  (await dnsLookup(`${fullName}.`, { all: true })).map(({ address }) => address)

/**
 * Finds the addresses of what laptops ask for. Names of Services are answered from the API, so that a reach can be kept
 * and so that a cluster needs no DNS for them; all others by the DNS of the pod that we are in.
 */
export class Resolver {
  readonly #services: ClusterServices
  readonly #denied: Denied
  readonly #own: SearchList
  readonly #domain: string
  readonly #lookup: Lookup

  /** @param own the search list of the pod that we are in */
  constructor(services: ClusterServices, denied: Denied, own: SearchList, lookup: Lookup = systemLookup) {
    this.#services = services
    this.#denied = denied
    this.#own = own
    this.#domain = clusterDomainOf(own)
    this.#lookup = lookup
  }

  /**
   * The addresses to be tried, in order, at least one.
   * @throws InterceptError 'no-such-service', 'no-endpoint', 'name-not-found', 'name-server-failed', 'not-allowed',
   * 'ECONNREFUSED' for a port that the Service does not have; KubeError
   */
  async addressesOf(destination: Destination, reaches: readonly Reach[]): Promise<Address[]> {
    if (reaches.length === 0) throw outOfReach(reaches)
    if (destination.kind === 'service') return this.#ofService(destination, reaches)
    const { host, namespace } = destination
    if (isIP(host) > 0) return this.#ofAddress(destination, reaches)
    return this.#ofNames(host, this.#namesOf(host, namespace), destination, reaches, 0)
  }

  #namesOf(host: string, namespace: string | undefined): string[] {
    const [plain = ''] = fullNames(host, wholeNames)
    // A Service's whole name has fewer dots than the usual ndots; longer ones of it cannot exist.
    if (plain.endsWith(`.svc.${this.#domain}`)) return [plain]
    return fullNames(host, namespace === undefined ? this.#own : searchListFor(this.#own, namespace))
  }

  async #ofService(destination: ServiceDestination, reaches: readonly Reach[]): Promise<Address[]> {
    const { namespace, name, port, protocol } = destination
    if (!leadsTo(reaches, namespace)) throw outOfReach(reaches)
    const service = await this.#services.find(namespace, name)
    if (!service) throw new InterceptError('no-such-service', `Service ${namespace}/${name} does not exist`)
    const found = servicePort(service, destination)
    if (!found) throw new InterceptError('no-such-service', noSuchPort(service, destination))
    if (service.spec.type === 'ExternalName') return this.#ofAlias(service, destination, reaches, 0)
    const clusterIPs = clusterIPsOf(service)
    if (clusterIPs.length > 0) return clusterIPs.map((host) => ({ host, port }))
    const slices = await this.#services.slices(namespace, name)
    return this.#atLeastOne(
      originEndpoints(slices, { name: found.name, protocol }).map(({ address, port: at }) => ({
        host: address,
        port: at,
      })),
      `Service ${namespace}/${name} has no ready pod`,
    )
  }

  /** The names in their order; the first that exists counts. */
  async #ofNames(
    host: string,
    names: readonly string[],
    port: Port,
    reaches: readonly Reach[],
    aliases: number,
  ): Promise<Address[]> {
    const anywhere = leadsAnywhere(reaches)
    let failure: unknown
    for (const name of names) {
      const inCluster = clusterNameOf(name, this.#domain)
      if (inCluster === 'nothing') continue
      if (inCluster) {
        if (!leadsTo(reaches, inCluster.namespace)) continue
        const found = await this.#ofClusterName(inCluster, port, reaches, aliases)
        if (found === 'none') continue
        if (found !== 'unreadable') return found
      }
      if (!anywhere) continue
      try {
        return this.#allowed(host, await this.#lookup(name), port.port)
      } catch (error) {
        if (error instanceof InterceptError) throw error
        // As resolvers do: a server that fails for one name may know the next.
        if (codeOf(error) !== 'ENOTFOUND') failure ??= error
      }
    }
    if (failure !== undefined) {
      throw new InterceptError(
        'name-server-failed',
        `the cluster's name server gave no answer for ${host} (${codeOf(failure) ?? failure})`,
        { cause: failure },
      )
    }
    // Of a name with dots nobody can say that it was meant for the namespace.
    if (!anywhere && host.includes('.')) throw outOfReach(reaches)
    throw new InterceptError('name-not-found', `${host} does not exist, as the cluster sees it`)
  }

  /** 'none': there is no such name. 'unreadable': we may not look, the DNS knows. */
  async #ofClusterName(
    { namespace, service: name, endpoint }: ClusterName,
    port: Port,
    reaches: readonly Reach[],
    aliases: number,
  ): Promise<Address[] | 'none' | 'unreadable'> {
    const service = await this.#services.find(namespace, name).catch((error: unknown) => {
      if (isKubeError(error, 'forbidden')) return 'unreadable' as const
      throw error
    })
    if (service === 'unreadable') return 'unreadable'
    if (!service) return 'none'
    if (service.spec.type === 'ExternalName') {
      return endpoint === undefined ? this.#ofAlias(service, port, reaches, aliases) : 'none'
    }
    const clusterIPs = clusterIPsOf(service)
    if (endpoint === undefined && clusterIPs.length > 0) {
      if (servicePort(service, port)) return clusterIPs.map((host) => ({ host, port: port.port }))
      throw new InterceptError('ECONNREFUSED', noSuchPort(service, port))
    }
    const slices = await this.#services.slices(namespace, name)
    const ready = routableAddresses(slices)
    const found = slices
      .flatMap(({ endpoints }) => endpoints ?? [])
      .flatMap(({ addresses, hostname }) => addresses.map((host) => ({ host, label: hostname ?? dashed(host) })))
      .filter(({ host, label }) => ready.has(host) && (endpoint === undefined || label === endpoint))
      .map(({ host }) => ({ host, port: port.port }))
    if (endpoint !== undefined && found.length === 0) return 'none'
    return this.#atLeastOne(found, `Service ${namespace}/${name} has no ready pod`)
  }

  async #ofAlias(
    { metadata, spec }: Service,
    port: Port,
    reaches: readonly Reach[],
    aliases: number,
  ): Promise<Address[]> {
    const alias = `Service ${metadata.namespace}/${metadata.name}`
    if (!leadsAnywhere(reaches)) throw new InterceptError('not-allowed', `${alias} is an alias of another host`)
    if (aliases >= mostAliases) throw new InterceptError('name-not-found', `${alias} is an alias that leads nowhere`)
    const host = spec.externalName ?? ''
    return this.#ofNames(host, fullNames(host, wholeNames), port, reaches, aliases + 1)
  }

  async #ofAddress(destination: HostDestination, reaches: readonly Reach[]): Promise<Address[]> {
    const { host, port, namespace } = destination
    const denied = this.#denied.why(host, port)
    if (denied === undefined && leadsAnywhere(reaches)) return [{ host, port }]
    if (namespace !== undefined && leadsTo(reaches, namespace)) {
      const all = await this.#services.all(namespace)
      const service = all.find((one) => clusterIPsOf(one).some((clusterIP) => sameAddress(clusterIP, host)))
      if (service && servicePort(service, destination)) return [{ host, port }]
      if (service) throw new InterceptError('ECONNREFUSED', noSuchPort(service, destination))
      if (denied === undefined && (await this.#isBehindHeadless(all, host))) return [{ host, port }]
    }
    if (denied === undefined) throw outOfReach(reaches)
    throw new InterceptError('not-allowed', `${hostPort(host, port)} may not be reached: ${denied}`)
  }

  /** Whoever has resolved the name of such a Service dials one of its pods. */
  async #isBehindHeadless(all: readonly Service[], host: string): Promise<boolean> {
    for (const { metadata, spec } of all) {
      if (spec.type === 'ExternalName' || spec.clusterIP !== 'None') continue
      const slices = await this.#services.slices(metadata.namespace ?? '', metadata.name)
      if ([...routableAddresses(slices)].some((address) => sameAddress(address, host))) return true
    }
    return false
  }

  /** Whoever writes EndpointSlices could lead us elsewhere. @throws InterceptError 'no-endpoint' */
  #atLeastOne(endpoints: readonly Address[], otherwise: string): Address[] {
    const found = endpoints.filter(({ host, port }) => this.#denied.why(host, port) === undefined)
    if (found.length === 0) throw new InterceptError('no-endpoint', otherwise)
    return found
  }

  /** @throws InterceptError 'not-allowed' where none of them is */
  #allowed(host: string, addresses: readonly string[], port: number): Address[] {
    const reasons = addresses.map((address) => this.#denied.why(address, port))
    const found = addresses.filter((_, index) => reasons[index] === undefined)
    if (found.length > 0) return found.map((address) => ({ host: address, port }))
    throw new InterceptError(
      'not-allowed',
      `${hostPort(host, port)} may not be reached: ${reasons[0] ?? 'it has no address'}`,
    )
  }
}

const servicePort = ({ spec }: Service, { port, protocol }: Port) =>
  (spec.ports ?? []).find((one) => one.port === port && (one.protocol ?? 'TCP') === protocol)

const noSuchPort = ({ metadata }: Service, { port, protocol }: Port): string =>
  `Service ${metadata.namespace}/${metadata.name} has no ${protocol} port ${port}`
