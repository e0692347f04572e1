import type { Tunnel } from '../../src/tunnel/types.ts'

/** How long a tunnel on which a connection was not accepted in time is left alone, in milliseconds. */
const avoidMs = 1_000

interface Doubt {
  until: number
  isTrying: boolean
}

/**
 * A silent link is known to be dead only after some seconds. Until then one connection a second finds out, the others
 * go to the origin at once.
 */
export class TunnelHealth {
  readonly #doubts = new WeakMap<Tunnel, Doubt>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Whether a new connection may try this tunnel now. One that may, reports how it went. */
  mayTry(tunnel: Tunnel): boolean {
    const doubt = this.#doubts.get(tunnel)
    if (!doubt) return true
    if (doubt.isTrying || this.#now() < doubt.until) return false
    doubt.isTrying = true
    return true
  }

  /** True where `mayTry` might say no. */
  isDoubtful(tunnel: Tunnel): boolean {
    return this.#doubts.has(tunnel)
  }

  /** It was accepted, or refused by the laptop itself: the link is alive. */
  answered(tunnel: Tunnel): void {
    this.#doubts.delete(tunnel)
  }

  /** The try ended before it told anything, such as by a client that hung up. */
  inconclusive(tunnel: Tunnel): void {
    const doubt = this.#doubts.get(tunnel)
    if (doubt) doubt.isTrying = false
  }

  timedOut(tunnel: Tunnel): void {
    this.#doubts.set(tunnel, { until: this.#now() + avoidMs, isTrying: false })
  }
}
