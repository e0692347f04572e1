import type { Address } from '../network/reach.ts'
import type { Probe } from './pod.ts'
import { runProbe } from './probe.ts'

/** Until the first success a probe is tried this often, whatever its period: pods here start in tens of milliseconds. */
const eagerMs = 50
const eagerForMs = 10_000

/** Repeats a probe until stopped, and tells when its verdict changes (thresholds counted). */
export class Prober {
  readonly #probe: Probe
  readonly #reach: (port: number | string) => Address | undefined
  readonly #onVerdict: (ok: boolean) => void
  readonly #eager: boolean
  readonly #started = Date.now()
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #verdict: boolean | undefined
  #row = 0
  #last: boolean | undefined

  /** `eager`: readiness and startup, whose first success is what everybody waits for. */
  constructor(
    probe: Probe,
    reach: (port: number | string) => Address | undefined,
    eager: boolean,
    onVerdict: (ok: boolean) => void,
  ) {
    this.#probe = probe
    this.#reach = reach
    this.#eager = eager
    this.#onVerdict = onVerdict
    const delay = (probe.initialDelaySeconds ?? 0) * 1_000
    this.#timer = setTimeout(() => this.#run(), delay === 0 && eager ? eagerMs : delay)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    const ok = await runProbe(this.#probe, this.#reach)
    if (this.#stopped) return
    this.#row = ok === this.#last ? this.#row + 1 : 1
    this.#last = ok
    const eager = this.#eager && this.#verdict === undefined && Date.now() - this.#started < eagerForMs
    if (eager && !ok) this.#row = 0
    const threshold = ok ? this.#probe.successThreshold : this.#probe.failureThreshold
    if (this.#verdict !== ok && this.#row >= threshold) {
      this.#verdict = ok
      this.#onVerdict(ok)
    }
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.#run(), eager ? eagerMs : this.#probe.periodSeconds * 1_000)
    this.#timer.unref()
  }
}
