import { BlockList, isIP } from 'node:net'
import type { Service, ServicePort } from '../../../src/kube/objects.ts'

export interface ClusterHostsOptions {
  /** Those that the user can see, of whatever namespaces. */
  readonly services: readonly Service[]
  /** Of the pod: short names are its Services'. */
  readonly namespace: string
  /** `cluster.local`. */
  readonly domain: string
}

/** What a host name or address of the cluster stands for. */
export interface ClusterHost {
  /** Undefined where only the form of the name says that it is of the cluster (`db.other.svc`). */
  readonly service: Service | undefined
}

/** Tells hosts of the cluster from all others, as a pod of the namespace would name them. */
export class ClusterHosts {
  readonly #services = new Map<string, Service>()
  readonly #namespace: string
  readonly #domain: string
  readonly #addresses: readonly (readonly [BlockList, Service])[]

  constructor({ services, namespace, domain }: ClusterHostsOptions) {
    this.#namespace = namespace
    this.#domain = `.svc.${domain}`.toLowerCase()
    for (const service of services) {
      this.#services.set(keyOf(service.metadata.name, service.metadata.namespace ?? namespace), service)
    }
    this.#addresses = services.flatMap((service) =>
      clusterIPsOf(service).map((address): [BlockList, Service] => [listOf(address), service]),
    )
  }

  /**
   * @param host `orders`, `orders.shop`, `orders.shop.svc`, the whole name, a pod of a headless Service
   * (`db-0.db`, and longer), or a ClusterIP. Of names with one or two dots only those of known Services are the
   * cluster's: `api.example` is not.
   */
  find(host: string): ClusterHost | undefined {
    const family = isIP(host)
    if (family > 0) {
      const found = this.#addresses.find(([list]) => list.check(host, family === 6 ? 'ipv6' : 'ipv4'))
      return found && { service: found[1] }
    }
    const plain = host.toLowerCase().replace(/\.$/, '')
    const suffix = [this.#domain, '.svc'].find((one) => plain.endsWith(one))
    const labels = (suffix === undefined ? plain : plain.slice(0, -suffix.length)).split('.')
    const service = this.#serviceOf(labels, suffix !== undefined)
    if (service) return { service }
    return suffix !== undefined && (labels.length === 2 || labels.length === 3) ? { service: undefined } : undefined
  }

  #serviceOf(labels: readonly string[], isQualified: boolean): Service | undefined {
    const [first = '', second = '', third = ''] = labels
    if (labels.length === 1 && !isQualified) return this.#services.get(keyOf(first, this.#namespace))
    if (labels.length === 2) {
      const named = this.#services.get(keyOf(first, second))
      if (named || isQualified) return named
      return this.#headless(second, this.#namespace)
    }
    return labels.length === 3 ? this.#headless(second, third) : undefined
  }

  #headless(name: string, namespace: string): Service | undefined {
    const found = this.#services.get(keyOf(name, namespace))
    return found && isHeadless(found) ? found : undefined
  }
}

export const isHeadless = ({ spec }: Service): boolean => spec.clusterIP === 'None'

/** The Service's TCP port of that number; of a headless one also where its pods listen. */
export function tcpPortOf(service: Service, port: number): ServicePort | undefined {
  const tcp = (service.spec.ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP')
  return (
    tcp.find((one) => one.port === port) ??
    (isHeadless(service) ? tcp.find(({ targetPort }) => targetPort === port) : undefined)
  )
}

function clusterIPsOf({ spec }: Service): string[] {
  const all = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])
  return all.filter((address) => isIP(address) > 0)
}

/** IPv6 has several spellings of one address. */
function listOf(address: string): BlockList {
  const list = new BlockList()
  list.addAddress(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return list
}

const keyOf = (name: string, namespace: string): string => `${namespace}/${name}`
