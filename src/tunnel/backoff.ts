/** When to dial next: at once after a carrier that had worked, then later and later, never all at the same time. */
export class Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #failures = 0

  constructor(
    limits: { readonly backoffMinMs: number; readonly backoffMaxMs: number },
    random: () => number = Math.random,
  ) {
    this.#minMs = limits.backoffMinMs
    this.#maxMs = limits.backoffMaxMs
    this.#random = random
  }

  /** How long to wait before the next dial: 0, then between half and the whole of a doubling time. */
  next(): number {
    const failures = this.#failures
    this.#failures += 1
    if (failures === 0) return 0
    const ms = Math.min(this.#maxMs, this.#minMs * 2 ** (failures - 1))
    return ms * (0.5 + this.#random() / 2)
  }

  /** A carrier worked. */
  reset(): void {
    this.#failures = 0
  }
}
