import { onTestFinished } from 'vitest'
import { OriginBalancer } from '../../../proxy-pod/dataplane/origin-balancer.ts'
import type { Claim, Route } from '../../../proxy-pod/dataplane/route.ts'
import { TcpListener } from '../../../proxy-pod/dataplane/tcp-listener.ts'
import type { TrafficCounter } from '../../../proxy-pod/dataplane/traffic.ts'
import { TunnelHealth } from '../../../proxy-pod/dataplane/tunnel-health.ts'
import type { ForwardingOptions } from '../../../src/http/forwarding-fields.ts'
import type { OriginEndpoint } from '../../../src/takeover/endpoints.ts'
import type { Tunnel } from '../../../src/tunnel/index.ts'
import { dial, type Peer, TcpServer } from './peer.ts'

/** Remembers what the metrics would be told. */
export class Counts implements TrafficCounter {
  readonly upstreams: string[] = []
  readonly failOpens: string[] = []
  readonly refusals: string[] = []
  readonly errors: string[] = []
  toLaptop = 0
  fromLaptop = 0

  connected(upstream: 'laptop' | 'origin'): void {
    this.upstreams.push(upstream)
  }
  fromClient(bytes: number, toLaptop: boolean): void {
    if (toLaptop) this.toLaptop += bytes
  }
  toClient(bytes: number, fromLaptop: boolean): void {
    if (fromLaptop) this.fromLaptop += bytes
  }
  failedOpen(reason: string): void {
    this.failOpens.push(reason)
  }
  refused(reason: string): void {
    this.refusals.push(reason)
  }
  clientError(error: Error): void {
    this.errors.push(error.message)
  }
}

export interface PortOptions {
  readonly tunnel?: Tunnel
  /** Instead of the one for `tunnel`. */
  readonly claims?: readonly Claim[]
  readonly endpoints?: readonly OriginEndpoint[]
  readonly onLocalDown?: Claim['onLocalDown']
  readonly acceptTimeoutMs?: number
  readonly health?: TunnelHealth
  readonly forwarding?: ForwardingOptions
}

/** A port of a Service that a proxy pod listens on, with an origin of one server, and perhaps a laptop. */
export class Port {
  readonly origin: TcpServer
  readonly counts = new Counts()
  readonly balancer = new OriginBalancer()
  readonly listener: TcpListener
  readonly #options: PortOptions
  #route: Route
  number = 0

  private constructor(origin: TcpServer, options: PortOptions) {
    this.origin = origin
    this.#options = options
    this.balancer.update(options.endpoints ?? [origin.endpoint], false)
    this.#route = {
      service: 'shop/orders',
      port: 80,
      origin: this.balancer,
      claims: options.claims ?? (options.tunnel ? [this.#claim(options.tunnel)] : []),
      health: options.health ?? new TunnelHealth(),
    }
    this.listener = new TcpListener(this.#route, this.counts, options.forwarding)
  }

  static async open(options: PortOptions = {}, onOrigin?: (peer: Peer) => void): Promise<Port> {
    const port = new Port(await new TcpServer(onOrigin).listen(), options)
    port.number = await port.listener.listen('127.0.0.1', 0)
    onTestFinished(() => {
      port.listener.close()
      port.origin.close()
    })
    return port
  }

  dial(options: { reading?: boolean } = {}): Promise<Peer> {
    return dial(this.number, options)
  }

  /** The port is claimed for this tunnel, or for nobody. */
  claimFor(tunnel: Tunnel | undefined): void {
    this.#route = { ...this.#route, claims: tunnel ? [this.#claim(tunnel)] : [] }
    this.listener.setRoute(this.#route)
  }

  setClaims(claims: readonly Claim[]): void {
    this.#route = { ...this.#route, claims }
    this.listener.setRoute(this.#route)
  }

  /** A tunnel of the claim has changed its state. */
  tunnelChanged(): void {
    this.listener.setRoute(this.#route)
  }

  #claim(tunnel: Tunnel): Claim {
    return {
      intercept: 'shop/orders-ada',
      mode: 'intercept',
      matches: undefined,
      workload: undefined,
      onLocalDown: this.#options.onLocalDown ?? 'origin',
      acceptTimeoutMs: this.#options.acceptTimeoutMs ?? 10_000,
      tunnel: () => tunnel,
    }
  }
}
