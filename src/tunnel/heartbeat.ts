export interface HeartbeatOptions {
  readonly pingMs: number
  readonly deadMs: number
  ping(): void
  dead(silentMs: number): void
}

/** Watches one carrier: asks a silent one for a sign of life, and reports it dead when none comes. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #everyMs: number
  readonly #timer: NodeJS.Timeout
  #heardAt = performance.now()
  #lookedAt = performance.now()

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#everyMs = Math.min(options.pingMs, options.deadMs - options.pingMs) / 2
    this.#timer = setInterval(() => this.#look(), this.#everyMs)
    this.#timer.unref()
  }

  heard(now: number): void {
    this.#heardAt = now
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    // This process was stopped or busy: what arrived meanwhile still waits to be read.
    if (now - this.#lookedAt > 3 * this.#everyMs + 50)
      this.#heardAt = Math.max(this.#heardAt, now - this.#options.pingMs)
    this.#lookedAt = now
    const silentMs = now - this.#heardAt
    if (silentMs >= this.#options.deadMs) this.#options.dead(silentMs)
    else if (silentMs >= this.#options.pingMs) this.#options.ping()
  }
}
