import { once } from 'node:events'

/** Ctrl-C or the end of the child before or during the takeover. */
export class Stopped extends Error {}

/** Ctrl-C (and SIGTERM, SIGHUP): the first releases, the second cuts. */
export class Interrupts {
  readonly #first = new AbortController()
  readonly #second = new AbortController()
  readonly #signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  readonly #onSignal = (): void =>
    this.#first.signal.aborted ? this.#second.abort(new Stopped()) : this.#first.abort(new Stopped())

  constructor() {
    for (const signal of this.#signals) process.on(signal, this.#onSignal)
  }

  get first(): AbortSignal {
    return this.#first.signal
  }

  get second(): AbortSignal {
    return this.#second.signal
  }

  async wait(): Promise<'interrupted'> {
    if (!this.first.aborted) await once(this.first, 'abort')
    return 'interrupted'
  }

  stop(): void {
    for (const signal of this.#signals) process.removeListener(signal, this.#onSignal)
  }
}
