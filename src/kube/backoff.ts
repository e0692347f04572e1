export interface Backoff {
  /** Milliseconds before the next try; grows with each call. */
  next(): number
  reset(): void
}

/** Exponential from `minMs` to `maxMs`, each delay drawn from its upper half, so that many clients do not come at once. */
export function backoff(minMs = 200, maxMs = 10_000, random: () => number = Math.random): Backoff {
  let tries = 0
  return {
    next() {
      const ceiling = Math.min(maxMs, minMs * 2 ** tries)
      tries = Math.min(tries + 1, 30)
      return ceiling / 2 + (ceiling / 2) * random()
    },
    reset() {
      tries = 0
    },
  }
}
