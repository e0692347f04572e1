/** How long a laptop that refused a copy is sent none, in milliseconds. */
const restMs = 1_000

/** Of one copy. Ends with one call. */
export interface CopyPlace {
  giveBack(): void
  /** The laptop would not have it. */
  refused(): void
}

/**
 * The copies of requests that one port sends: so many at once, and none for a while to a laptop whose local process is
 * not there. Each copy costs its original some time of the same machines.
 */
export class Copies {
  readonly #max: number
  readonly #now: () => number
  #taken = 0
  /** Intercept (namespace/name) => until when it rests. */
  readonly #resting = new Map<string, number>()

  constructor(max: number, now: () => number = () => performance.now()) {
    this.#max = max
    this.#now = now
  }

  /** @returns undefined where all places are taken, or the Intercept rests */
  take(intercept: string): CopyPlace | undefined {
    if (this.#taken >= this.#max || this.#rests(intercept)) return undefined
    this.#taken += 1
    return {
      giveBack: () => {
        this.#taken -= 1
      },
      refused: () => {
        this.#taken -= 1
        this.#rest(intercept)
      },
    }
  }

  #rest(intercept: string): void {
    for (const known of this.#resting.keys()) this.#rests(known)
    this.#resting.set(intercept, this.#now() + restMs)
  }

  #rests(intercept: string): boolean {
    const until = this.#resting.get(intercept)
    if (until === undefined) return false
    if (this.#now() < until) return true
    this.#resting.delete(intercept)
    return false
  }
}
