const halfLifeMs = 250

/** Bytes that arrived over the last moments: what is older than a quarter of a second counts half, and so on. */
export class RecentBytes {
  #bytes = 0
  #since = 0

  add(bytes: number, now: number): void {
    if (now - this.#since > halfLifeMs) this.#age(now)
    this.#bytes += bytes
  }

  at(now: number): number {
    this.#age(now)
    return this.#bytes
  }

  #age(now: number): void {
    this.#bytes *= 2 ** ((this.#since - now) / halfLifeMs)
    this.#since = now
  }
}
