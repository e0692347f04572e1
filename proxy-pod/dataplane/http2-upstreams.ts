import { dialEndpoint, dialLaptop } from './http2-dial.ts'
import { Http2Upstream } from './http2-upstream.ts'
import type { OriginBalancer } from './origin-balancer.ts'
import { type Claim, type Route, tlsToLocal, usableTunnel } from './route.ts'
import type { TrafficCounter } from './traffic.ts'

/** Who asks: an address, and the same with a port for people to read. */
interface ClientName {
  readonly address: string
  readonly text: string
}

/** Where the requests of one client's HTTP/2 connection go: at most one session each to the origin and to each claim. */
export class Http2Upstreams {
  readonly #client: ClientName
  readonly #traffic: TrafficCounter
  /** By the claim's Intercept; '' is the origin. */
  readonly #upstreams = new Map<string, { upstream: Http2Upstream; to: object }>()
  /** Sessions of released claims, with requests under way. */
  readonly #released = new Set<Http2Upstream>()

  constructor(client: ClientName, traffic: TrafficCounter) {
    this.#client = client
    this.#traffic = traffic
  }

  toOrigin(route: Route): Http2Upstream {
    return this.#at('', route.origin) ?? this.#keep('', route.origin, this.#toEndpoint(route, route.origin))
  }

  /** @returns the reason, where what the claim is for cannot be asked now. */
  toClaim(route: Route, claim: Claim): Http2Upstream | string {
    const { intercept, workload } = claim
    if (workload)
      return this.#at(intercept, workload) ?? this.#keep(intercept, workload, this.#toEndpoint(route, workload))
    const tunnel = usableTunnel(claim)
    if (!tunnel) return 'the laptop is not connected'
    const { health, port } = route
    const found = this.#at(intercept, tunnel)
    if (claim.onLocalDown === 'origin' && found?.refusal !== undefined) return found.refusal
    if ((found?.mustDial ?? true) && !health.mayTry(tunnel)) return 'the laptop did not accept lately'
    if (found) return found
    const header = { intercept, port, proto: 'tcp', client: this.#client.text }
    const dial = dialLaptop(tunnel, header, claim.acceptTimeoutMs, health, tlsToLocal(route, claim))
    return this.#keep(intercept, tunnel, new Http2Upstream(dial, tunnel, () => this.#traffic.connected('laptop')))
  }

  /** What no claim of the route leads to gets no more requests, and closes after its last. */
  releaseUnclaimed(route: Route): void {
    for (const [intercept, { upstream, to }] of this.#upstreams) {
      const claim = route.claims.find((one) => one.intercept === intercept)
      const leadsTo = intercept === '' ? route.origin : (claim?.workload ?? claim?.tunnel())
      if (leadsTo !== to) this.#release(intercept, upstream)
      else if (upstream.tunnel && upstream.tunnel.state !== 'up') upstream.giveUpConnecting('the tunnel is down')
    }
  }

  reset(): void {
    for (const upstream of this.#released) upstream.reset('the client is gone')
    for (const { upstream } of this.#upstreams.values()) upstream.reset('the client is gone')
  }

  #at(intercept: string, to: object): Http2Upstream | undefined {
    const found = this.#upstreams.get(intercept)
    if (!found) return undefined
    if (found.to === to) return found.upstream
    this.#release(intercept, found.upstream)
    return undefined
  }

  #release(intercept: string, upstream: Http2Upstream): void {
    this.#upstreams.delete(intercept)
    upstream.release()
    if (upstream.isEmpty) return
    this.#released.add(upstream)
    upstream.onEmpty = () => this.#released.delete(upstream)
  }

  #toEndpoint({ tls }: Route, balancer: OriginBalancer): Http2Upstream {
    const dial = dialEndpoint(balancer, this.#client.address, tls)
    return new Http2Upstream(dial, undefined, () => this.#traffic.connected('origin'))
  }

  #keep(intercept: string, to: object, upstream: Http2Upstream): Http2Upstream {
    this.#upstreams.set(intercept, { upstream, to })
    return upstream
  }
}
