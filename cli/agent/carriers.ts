import { codeOf, messageOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { type Carrier, TunnelError } from '../../src/tunnel/index.ts'
import { type ApiRoute, ApiWays, apiRoutes } from './api-ways.ts'
import { dialAgain } from './dial-again.ts'
import { DIRECT_NOT_OFFERED, DirectWay, leadsAstray } from './direct-way.ts'
import { firstOf } from './first-of.ts'
import { PublishedGateway } from './published-gateway.ts'

export type CarrierRoute = 'direct' | ApiRoute

/** What the way that is tried first has for itself, before the other is tried beside it. */
const headStartMs = 300
/**
 * The same to a proxy pod that has come while the direct way worked to others, as in an upgrade: there it is dialled again
 * meanwhile, for what passes its Service on follows a second after the API server. Shorter than a new proxy pod waits for
 * tunnels.
 */
const newPodHeadStartMs = 1_500
const newPodDialEveryMs = 100
/** How long the direct way comes second, to a proxy pod to which it was not the faster one, or did not carry. */
const directSecondMs = 60_000
/** A lane that dials again so soon had a carrier that opened and carried nothing: longer than a handshake may take. */
const unprovenMs = 12_000

/** INTERCEPT_CARRIERS narrows the ways: `port-forward`, or `direct,pods/proxy`. */
const isAllowed = (route: CarrierRoute): boolean => process.env.INTERCEPT_CARRIERS?.split(',').includes(route) ?? true

/** A proxy pod; one that is made again under its name is another. */
export interface ReplicaId {
  readonly uid: string
  readonly name: string
}

interface Way {
  readonly name: 'direct' | 'api'
  dial(pod: string, signal: AbortSignal): Promise<Carrier>
}

/** Dials carriers to proxy pods: directly where that is offered, or through the API server; what lets us in first. */
export class Carriers {
  readonly #api: ApiWays
  /** In the order in which they are tried. */
  readonly #ways: readonly Way[]
  readonly #onAstray: (message: string) => void
  readonly #routes = new Map<string, CarrierRoute>()
  /** By proxy pod: since when the direct way comes second. */
  readonly #secondSince = new Map<string, number>()
  /** By proxy pod and lane: when the last direct carrier came. */
  readonly #directAt = new Map<string, number>()
  #hasDirectWorked = false
  #isAstrayTold = false

  /** @param onAstray told once, where the direct address leads to something else than the gateway that is meant */
  constructor(kube: Kube, systemNamespace: string, onAstray: (message: string) => void) {
    this.#onAstray = onAstray
    const published = new PublishedGateway(kube, systemNamespace)
    const direct = new DirectWay(published, systemNamespace)
    const routes = apiRoutes.filter(isAllowed)
    this.#api = new ApiWays(kube, systemNamespace, routes, published)
    this.#ways = [
      ...(isAllowed('direct')
        ? [{ name: 'direct' as const, dial: (pod: string, signal: AbortSignal) => this.#directly(direct, pod, signal) }]
        : []),
      ...(routes.length > 0 ? [{ name: 'api' as const, dial: this.#api.dial.bind(this.#api) }] : []),
    ]
    // Begun beside what else has to be asked first; a failure is the dial's to tell.
    if (isAllowed('direct')) published.read().catch(() => undefined)
  }

  /** The way by which a carrier to that proxy pod came last. */
  routeTo(uid: string): CarrierRoute | undefined {
    return this.#routes.get(uid)
  }

  /** @throws TunnelError, final where no way lets us in: 'gateway-forbidden', 'direct-not-offered', 'no-carriers' */
  async dial({ uid, name: pod }: ReplicaId, lane: number, signal: AbortSignal): Promise<Carrier> {
    const directAt = this.#directAt.get(`${uid}/${lane}`)
    // What lies between may take a WebSocket and pass nothing on.
    if (isWithin(directAt, unprovenMs)) this.#secondSince.set(uid, performance.now())
    const isNew = this.#hasDirectWorked && !this.#routes.has(uid)
    const ways = isWithin(this.#secondSince.get(uid), directSecondMs) ? [...this.#ways].reverse() : this.#ways
    try {
      const { index, value } = await firstOf(
        ways.map(({ name, dial }) => (its: AbortSignal) => {
          const once = () => dial(pod, its)
          if (name !== 'direct' || !isNew) return once()
          const again = (error: unknown) => error instanceof TunnelError && !leadsAstray(error)
          return dialAgain(once, { everyMs: newPodDialEveryMs, forMs: newPodHeadStartMs, signal: its, again })
        }),
        {
          headStartMs: isNew ? newPodHeadStartMs : headStartMs,
          signal,
          discard: (late) => late.close(4_000, 'another way was faster'),
        },
      )
      this.#remember(uid, lane, ways[index]?.name)
      return value
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error
      throw this.#failure(new Map(ways.map(({ name }, index) => [name, error.errors[index]])))
    }
  }

  #remember(uid: string, lane: number, name: Way['name'] | undefined): void {
    const now = performance.now()
    const route = name === 'direct' ? name : this.#api.route
    if (route) this.#routes.set(uid, route)
    if (name === 'direct') {
      this.#hasDirectWorked = true
      this.#directAt.set(`${uid}/${lane}`, now)
      this.#secondSince.delete(uid)
    } else {
      this.#directAt.delete(`${uid}/${lane}`)
      this.#secondSince.set(uid, now)
    }
  }

  /** The one error of a dial that failed each way. */
  #failure(errors: ReadonlyMap<Way['name'], unknown>): unknown {
    if (errors.size === 0) {
      return new TunnelError('no-carriers', 'INTERCEPT_CARRIERS names none of direct, pods/proxy, port-forward', {
        final: true,
        fix: 'unset INTERCEPT_CARRIERS',
      })
    }
    const [direct, api] = [errors.get('direct'), errors.get('api')]
    const isOffered = direct !== undefined && codeOf(direct) !== DIRECT_NOT_OFFERED
    if (!errors.has('api')) {
      if (isOffered) return direct
      const message = `INTERCEPT_CARRIERS allows the direct way only: ${messageOf(direct)}`
      return new TunnelError(DIRECT_NOT_OFFERED, message, {
        final: true,
        cause: direct,
        fix: 'unset INTERCEPT_CARRIERS',
      })
    }
    if (!isOffered || !(api instanceof TunnelError && api.final)) return api ?? direct
    // Where the direct way has worked it may again.
    return new TunnelError(api.code, `${api.message}; nor directly: ${messageOf(direct)}`, {
      final: !this.#hasDirectWorked,
      cause: api,
      fix: api.fix,
    })
  }

  async #directly(way: DirectWay, pod: string, signal: AbortSignal): Promise<Carrier> {
    try {
      return await way.dial(pod, signal)
    } catch (error) {
      if (!this.#isAstrayTold && leadsAstray(error)) {
        this.#isAstrayTold = true
        this.#onAstray(messageOf(error))
      }
      throw error
    }
  }
}

const isWithin = (since: number | undefined, ms: number): boolean =>
  since !== undefined && performance.now() - since < ms
