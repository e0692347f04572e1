import type { ForwardingOptions } from '../../src/http/forwarding-fields.ts'
import type { EndpointSlice, Service } from '../../src/kube/objects.ts'
import { originEndpoints } from '../../src/takeover/endpoints.ts'
import { OriginBalancer } from './origin-balancer.ts'
import type { Claim, Route } from './route.ts'
import { TcpListener } from './tcp-listener.ts'
import type { TrafficCounter } from './traffic.ts'
import { TunnelHealth } from './tunnel-health.ts'
import { UdpRelay } from './udp-relay.ts'

/** A port of a Service as our EndpointSlice publishes it. */
export interface PublishedPort {
  readonly name: string
  readonly protocol: 'TCP' | 'UDP'
  /** Where this replica listens. */
  readonly port: number
}

interface OpenPort {
  readonly protocol: 'TCP' | 'UDP'
  readonly name: string
  readonly listenPort: number
  readonly origin: OriginBalancer
  readonly listener: TcpListener | UdpRelay
}

/** Listeners for every port of one taken-over Service, intercepted or not. */
export class ServiceDataplane {
  readonly #name: string
  readonly #host: string | undefined
  readonly #traffic: (port: number) => TrafficCounter
  /** By `PROTOCOL number` of the Service's port. */
  readonly #open = new Map<string, OpenPort>()
  #claims: ReadonlyMap<number, readonly Claim[]> = new Map()
  readonly #health = new TunnelHealth()
  readonly #forwarding: ForwardingOptions | undefined

  /** @param name namespace/name @param host address to listen on; undefined for all */
  constructor(
    name: string,
    host: string | undefined,
    traffic: (port: number) => TrafficCounter,
    forwarding?: ForwardingOptions,
  ) {
    this.#forwarding = forwarding
    this.#name = name
    this.#host = host
    this.#traffic = traffic
  }

  /** Opens and closes listeners as the Service's ports say, and takes over the origin's endpoints from its slices. */
  async update(service: Service, origin: readonly EndpointSlice[]): Promise<void> {
    const isHeadless = service.spec.clusterIP === 'None'
    const sticky = service.spec.sessionAffinity === 'ClientIP'
    const wanted = new Set<string>()
    for (const port of service.spec.ports ?? []) {
      const protocol = port.protocol ?? 'TCP'
      if (protocol !== 'TCP' && protocol !== 'UDP') continue
      const id = `${protocol} ${port.port}`
      wanted.add(id)
      const endpoints = originEndpoints(origin, { name: port.name, protocol })
      const found = this.#open.get(id)
      // Callers of a headless Service dial the pods' own port, which a pod may have to tell.
      const known = found?.listenPort ?? (isHeadless ? numericTarget(port) : 0)
      const listenPort = (isHeadless ? endpoints[0]?.port : undefined) ?? known
      const name = port.name ?? ''
      const stays = found?.listenPort === listenPort
      if (!stays) found?.listener.close()
      const open = stays ? { ...found, name } : await this.#openPort(port.port, name, protocol, listenPort)
      this.#open.set(id, open)
      open.origin.update(endpoints, sticky)
    }
    for (const [id, open] of this.#open) {
      if (wanted.has(id)) continue
      open.listener.close()
      this.#open.delete(id)
    }
  }

  /** Sorted as the slice has them. */
  get publishedPorts(): PublishedPort[] {
    return [...this.#open.values()].map(({ name, protocol, listenPort }) => ({ name, protocol, port: listenPort }))
  }

  /** By number of the Service's port. Also to be called when a tunnel's state changes. */
  setClaims(claims: ReadonlyMap<number, readonly Claim[]>): void {
    this.#claims = claims
    for (const [id, open] of this.#open) {
      if (open.listener instanceof TcpListener) open.listener.setRoute(this.#route(portOf(id), open.origin))
    }
  }

  /** Connections that are open now. */
  get connections(): number {
    let count = 0
    for (const { listener } of this.#open.values())
      if (listener instanceof TcpListener) count += listener.connections.size
    return count
  }

  /** Connections whose bytes go to a laptop that no longer holds them. */
  resetLaptopConnections(): void {
    for (const { listener } of this.#open.values()) {
      if (listener instanceof TcpListener) listener.resetLaptopConnections()
    }
  }

  stopAccepting(): void {
    for (const { listener } of this.#open.values()) if (listener instanceof TcpListener) listener.stopAccepting()
  }

  close(): void {
    for (const { listener } of this.#open.values()) listener.close()
    this.#open.clear()
  }

  #route(port: number, origin: OriginBalancer): Route {
    return { service: this.#name, port, origin, claims: this.#claims.get(port) ?? [], health: this.#health }
  }

  async #openPort(port: number, name: string, protocol: 'TCP' | 'UDP', listenPort: number): Promise<OpenPort> {
    const origin = new OriginBalancer()
    const traffic = this.#traffic(port)
    const listener =
      protocol === 'TCP'
        ? new TcpListener(this.#route(port, origin), traffic, this.#forwarding)
        : new UdpRelay(origin, (error) => traffic.clientError(error))
    return { protocol, name, origin, listener, listenPort: await listener.listen(this.#host, listenPort) }
  }
}

const portOf = (id: string): number => Number(id.split(' ')[1])

const numericTarget = (port: { port: number; targetPort?: number | string }): number =>
  typeof port.targetPort === 'number' ? port.targetPort : port.port
