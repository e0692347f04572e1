import type { TunnelLimits } from './limits.ts'
import type { TunnelTotals } from './totals.ts'

type WindowKnobs = Pick<
  TunnelLimits,
  'streamWindowBytes' | 'maxStreamWindowBytes' | 'windowPoolBytes' | 'flightSlackMs'
>

/** Asked only when a window may grow. Milliseconds. */
export interface WindowClock {
  now(): number
  readonly roundTripMs: number
}

/**
 * The credit that we give one stream. Always `credit + held + owed = size`. The size doubles as long as the peer uses
 * up the whole of it within about a round trip (the window is what holds it back) and the tunnel's pool has room;
 * `release` gives the growth back.
 */
export class ReceiveWindow {
  readonly #limits: WindowKnobs
  readonly #totals: TunnelTotals
  #size: number
  /** What the peer may still send. */
  #credit: number
  /** Delivered and not consumed. */
  #held = 0
  /** Consumed and not yet given back as credit. */
  #owed = 0
  #consumedInRound = 0
  #roundSince = 0

  constructor(limits: WindowKnobs, totals: TunnelTotals) {
    this.#limits = limits
    this.#totals = totals
    this.#size = limits.streamWindowBytes
    this.#credit = this.#size
  }

  get size(): number {
    return this.#size
  }

  get held(): number {
    return this.#held
  }

  /** False where the peer had no credit for that. */
  receive(bytes: number): boolean {
    if (bytes > this.#credit) return false
    this.#credit -= bytes
    this.#held += bytes
    return true
  }

  /** Returns whether the credit has become worth a frame. */
  consume(bytes: number, clock: WindowClock): boolean {
    const taken = Math.min(bytes, this.#held)
    this.#held -= taken
    this.#owed += taken
    this.#consumedInRound += taken
    if (this.#consumedInRound >= this.#size) {
      const now = clock.now()
      if (now - this.#roundSince <= 2 * clock.roundTripMs + this.#limits.flightSlackMs) this.#grow()
      this.#consumedInRound = 0
      this.#roundSince = now
    }
    return this.#owed * 4 >= this.#size
  }

  /** The credit to be sent now. */
  grant(): number {
    const granted = this.#owed
    this.#owed = 0
    this.#credit += granted
    return granted
  }

  release(): void {
    this.#totals.grownBytes -= this.#size - this.#limits.streamWindowBytes
    this.#size = this.#limits.streamWindowBytes
  }

  #grow(): void {
    const { maxStreamWindowBytes, windowPoolBytes } = this.#limits
    const more = Math.min(this.#size, maxStreamWindowBytes - this.#size, windowPoolBytes - this.#totals.grownBytes)
    if (more <= 0) return
    this.#totals.grownBytes += more
    this.#size += more
    this.#owed += more
  }
}
