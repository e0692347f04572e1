import { InterceptError } from '../../src/errors.ts'
import { Http1Link } from './http1-link.ts'
import { LaptopUpstream } from './laptop-upstream.ts'
import { OriginUpstream } from './origin-upstream.ts'
import { type Claim, type Route, tlsToLocal, usableTunnel } from './route.ts'
import type { TrafficCounter } from './traffic.ts'

/** Who asks: an address, and the same with a port for people to read. */
export interface ClientName {
  readonly address: string
  readonly text: string
}

/** The upstreams of one client's HTTP/1.1 connection: at most one to the origin and one for each claim. */
export class Http1Links {
  readonly #client: ClientName
  readonly #traffic: TrafficCounter
  /** By the claim's Intercept; '' is the origin. */
  readonly #links = new Map<string, Http1Link>()

  constructor(client: ClientName, traffic: TrafficCounter) {
    this.#client = client
    this.#traffic = traffic
  }

  toOrigin(route: Route): Http1Link {
    return this.#links.get('') ?? this.#dialed(route, undefined, route.origin)
  }

  /** @returns the reason, where what the claim is for cannot be asked now. */
  toClaim(route: Route, claim: Claim): Http1Link | string {
    const found = this.#links.get(claim.intercept)
    if (claim.workload) {
      if (found?.claim?.workload === claim.workload) return found
      found?.abandon()
      return claim.workload.size > 0 ? this.#dialed(route, claim, claim.workload) : 'the workload has no ready endpoint'
    }
    const tunnel = usableTunnel(claim)
    if (!tunnel) return 'the laptop is not connected'
    if (found?.tunnel === tunnel) return found
    found?.abandon()
    const { health, port } = route
    if (!health.mayTry(tunnel)) return 'the laptop did not accept lately'
    const header = { intercept: claim.intercept, port, proto: 'tcp', client: this.#client.text }
    try {
      return this.#keep(
        new Http1Link(
          claim,
          (events) =>
            new LaptopUpstream(tunnel, header, claim.acceptTimeoutMs, health, events, tlsToLocal(route, claim)),
          (gone) => this.#forget(gone),
        ),
      )
    } catch (error) {
      // The tunnel drains, or has as many streams as it may.
      if (!(error instanceof InterceptError)) throw error
      health.inconclusive(tunnel)
      return error.message
    }
  }

  /** Closes what is not in use and no claim of the route leads to. */
  dropUnclaimed(route: Route): void {
    for (const link of [...this.#links.values()]) {
      if (!link.claim || link.isInUse) continue
      const claim = route.claims.find(({ intercept }) => intercept === link.claim?.intercept)
      const leadsThere = link.tunnel ? usableTunnel(claim) === link.tunnel : claim?.workload === link.claim.workload
      if (!leadsThere) link.abandon()
    }
  }

  /** The client is slow no more. */
  consumed(): void {
    for (const link of this.#links.values()) link.consumed()
  }

  abandonIdle(): void {
    for (const link of [...this.#links.values()]) if (!link.isInUse) link.abandon()
  }

  reset(): void {
    for (const link of [...this.#links.values()]) link.reset()
  }

  #dialed({ tls }: Route, claim: Claim | undefined, balancer: Route['origin']): Http1Link {
    return this.#keep(
      new Http1Link(
        claim,
        (events) => new OriginUpstream(balancer, this.#client.address, events, tls),
        (gone) => this.#forget(gone),
      ),
    )
  }

  #keep(link: Http1Link): Http1Link {
    this.#links.set(keyOf(link), link)
    this.#traffic.connected(link.kind)
    return link
  }

  #forget(link: Http1Link): void {
    if (this.#links.get(keyOf(link)) === link) this.#links.delete(keyOf(link))
  }
}

const keyOf = (link: Http1Link): string => link.claim?.intercept ?? ''
