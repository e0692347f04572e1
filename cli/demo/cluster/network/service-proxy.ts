import type { KubeObject } from '../../../../src/kube/types.ts'
import { type Dict, dictOf, dig, listOf, stringOf } from '../json.ts'
import type { Store } from '../store/store.ts'
import { Balancer } from './balancer.ts'
import type { AddressPlan } from './loopback.ts'
import type { Address } from './reach.ts'
import { endpointsOf } from './service-endpoints.ts'
import { TcpRelay } from './tcp-relay.ts'
import { UdpRelay } from './udp-relay.ts'

const slicesKey = 'endpointslices.discovery.k8s.io'

interface ServicePort {
  readonly service: string
  readonly name: string
  readonly number: number
  readonly protocol: string
  readonly balancer: Balancer
  readonly relay: TcpRelay | UdpRelay
  readonly ready: Promise<Address>
  address: Address | undefined
}

/**
 * What kube-proxy does: each port of a Service listens on its ClusterIP, and each new connection goes to one of the
 * endpoints of that moment. Connections that are open stay where they are when endpoints or the Service change.
 */
export class ServiceProxy {
  readonly #store: Store
  readonly #plan: AddressPlan
  readonly #ports = new Map<string, ServicePort>()
  readonly #stop: () => void
  /** Called when a Service's port listens, or no more. */
  onAddress: () => void = () => undefined

  constructor(store: Store, plan: AddressPlan) {
    this.#store = store
    this.#plan = plan
    this.#stop = store.onEvent(({ resource, object, type }) => {
      if (resource === 'services') this.#sync(object, type === 'DELETED')
      if (resource !== slicesKey) return
      const name = object.metadata.labels?.['kubernetes.io/service-name']
      if (name !== undefined) this.#refresh(`${object.metadata.namespace}/${name}`)
    })
  }

  /** All Services listen. */
  async settled(): Promise<void> {
    await Promise.all([...this.#ports.values()].map(({ ready }) => ready))
  }

  /** Where the port (number or name; the first where undefined) of a Service is reached from this machine. */
  addressOf(namespace: string, service: string, port?: number | string): Address | undefined {
    return this.#find(namespace, service, port)?.address
  }

  /** The same, once it listens. */
  async reach(namespace: string, service: string, port?: number | string): Promise<Address | undefined> {
    return this.#find(namespace, service, port)?.ready
  }

  /** ClusterIP:port -> where it really listens, for those that could not be bound as they are. */
  redirects(): Record<string, string> {
    const redirects: Record<string, string> = {}
    for (const { service, number, address } of this.#ports.values()) {
      const [namespace, name] = service.split('/')
      const clusterIp = dig(this.#store.get('services', namespace, name ?? ''), 'spec', 'clusterIP')
      if (!address || (address.host === clusterIp && address.port === number)) continue
      redirects[`${clusterIp}:${number}`] = `${address.host}:${address.port}`
    }
    return redirects
  }

  close(): void {
    this.#stop()
    for (const { relay } of this.#ports.values()) relay.close('reset')
    this.#ports.clear()
  }

  #find(namespace: string, service: string, port: number | string | undefined): ServicePort | undefined {
    const ports = [...this.#ports.values()].filter((each) => each.service === `${namespace}/${service}`)
    if (port === undefined) return ports[0]
    return ports.find((each) => each.name === String(port) || each.number === Number(port))
  }

  #sync(service: KubeObject, deleted: boolean): void {
    const key = `${service.metadata.namespace}/${service.metadata.name}`
    const spec = dictOf(dig(service, 'spec'))
    const clusterIp = stringOf(spec.clusterIP)
    const wanted = new Map<string, Dict>()
    if (!deleted && clusterIp && clusterIp !== 'None') {
      for (const port of listOf(spec.ports).map(dictOf))
        wanted.set(`${key} ${clusterIp} ${port.protocol} ${port.port}`, port)
    }
    for (const [id, { service: owner, relay }] of this.#ports) {
      if (owner !== key || wanted.has(id)) continue
      this.#ports.delete(id)
      relay.close('keep')
      this.onAddress()
    }
    const affinityMs = Number(dig(spec, 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds') ?? 0) * 1_000
    for (const [id, port] of wanted) {
      const known = this.#ports.get(id)
      const entry = known?.name === (port.name ?? '') ? known : this.#open(id, key, clusterIp ?? '', port, known)
      entry.balancer.affinityMs = affinityMs
    }
    this.#refresh(key)
  }

  #open(id: string, service: string, clusterIp: string, port: Dict, renamed: ServicePort | undefined): ServicePort {
    const name = stringOf(port.name) ?? ''
    const number = Number(port.port)
    const protocol = stringOf(port.protocol) ?? 'TCP'
    if (renamed) {
      const entry = { ...renamed, name }
      this.#ports.set(id, entry)
      return entry
    }
    const balancer = new Balancer()
    const relay = protocol === 'UDP' ? new UdpRelay(balancer) : new TcpRelay(balancer)
    const ready = this.#plan.single ? relay.listen('127.0.0.1', 0) : relay.listen(clusterIp, number)
    const entry: ServicePort = { service, name, number, protocol, balancer, relay, ready, address: undefined }
    this.#ports.set(id, entry)
    ready.then(
      (address) => {
        entry.address = address
        this.onAddress()
      },
      () => this.onAddress(),
    )
    return entry
  }

  #refresh(service: string): void {
    const [namespace] = service.split('/')
    let slices: KubeObject[] | undefined
    for (const port of this.#ports.values()) {
      if (port.service !== service) continue
      slices ??= this.#store
        .list(slicesKey, namespace)
        .filter((slice) => `${namespace}/${slice.metadata.labels?.['kubernetes.io/service-name']}` === service)
      port.balancer.endpoints = endpointsOf(slices, port.name, port.protocol)
    }
  }
}
