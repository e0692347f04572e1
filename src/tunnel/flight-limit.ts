import type { TunnelLimits } from './limits.ts'

/** What one acknowledgement tells, measured as in BBR (draft-cardwell-iccrg-bbr-congestion-control, section 4.1). */
export interface DeliverySample {
  readonly now: number
  /** Bytes acknowledged between the packet's departure and now, and the time that took. */
  readonly deliveredBytes: number
  readonly elapsedMs: number
  /** Undefined where the acknowledgement was allowed to wait. */
  readonly roundTripMs: number | undefined
  /** We had nothing more to send: the sample says what we asked for, not what the link can do. */
  readonly appLimited: boolean
}

type FlightKnobs = Pick<
  TunnelLimits,
  'minInFlightBytes' | 'initialInFlightBytes' | 'replayBytes' | 'flightGain' | 'flightSlackMs'
>

const roundTripAgeMs = 10_000
const rateAgeMs = 500

/**
 * How much may be under way: a little more than the link delivers in one round trip, so that no queue builds up in
 * somebody else's buffer for a small request to wait behind. Pure; time comes with the samples.
 */
export class FlightLimit {
  readonly #limits: FlightKnobs
  /** Highest delivery rate (bytes a millisecond) of this period and of the one before. */
  #rate = 0
  #rateBefore = 0
  #rateSince = Number.NEGATIVE_INFINITY
  #periodHasFullSample = false
  #measured = false
  #least = Number.POSITIVE_INFINITY
  #leastAt = 0
  #smoothed: number | undefined
  /** While set, the flight is kept small to see the round trip without a queue. */
  #probe: { until: number; least: number } | undefined
  #bytes: number

  constructor(limits: FlightKnobs) {
    this.#limits = limits
    this.#bytes = Math.min(limits.initialInFlightBytes, limits.replayBytes)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Smoothed round trip; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#smoothed
  }

  onRoundTrip(ms: number, now: number, busy: boolean): void {
    this.#smoothed = this.#smoothed === undefined ? ms : this.#smoothed + (ms - this.#smoothed) / 8
    if (this.#probe) this.#probe.least = Math.min(this.#probe.least, ms)
    if (ms <= this.#least) {
      this.#least = ms
      this.#leastAt = now
    } else if (now - this.#leastAt > roundTripAgeMs && !this.#probe) {
      if (busy) this.#probe = { until: now + 2 * ms + 20, least: ms }
      else this.#least = ms
      this.#leastAt = now
    }
  }

  onSample(sample: DeliverySample): void {
    const { now } = sample
    if (sample.roundTripMs !== undefined) this.onRoundTrip(sample.roundTripMs, now, !sample.appLimited)
    if (this.#probe && now >= this.#probe.until) {
      this.#least = this.#probe.least
      this.#probe = undefined
    }
    if (!Number.isFinite(this.#least)) return
    if (now - this.#rateSince > Math.max(rateAgeMs, 8 * this.#least)) this.#turnPeriod(now)
    const rate = sample.deliveredBytes / Math.max(sample.elapsedMs, this.#least, 0.05)
    if (!sample.appLimited) {
      this.#measured = true
      this.#periodHasFullSample = true
    }
    if (!sample.appLimited || rate > this.#best) this.#rate = Math.max(this.#rate, rate)
    this.#bytes = this.#compute()
  }

  get #best(): number {
    return Math.max(this.#rate, this.#rateBefore)
  }

  /** A period in which we never filled the link says nothing about it: its predecessor stays. */
  #turnPeriod(now: number): void {
    this.#rateSince = now
    if (this.#periodHasFullSample) {
      this.#rateBefore = this.#rate
      this.#rate = 0
    }
    this.#periodHasFullSample = false
  }

  #compute(): number {
    const { minInFlightBytes, initialInFlightBytes, replayBytes, flightGain, flightSlackMs } = this.#limits
    const wanted = this.#probe
      ? (this.#best * this.#least) / 2
      : this.#best * (this.#least * flightGain + flightSlackMs)
    const least = this.#measured ? minInFlightBytes : initialInFlightBytes
    return Math.min(Math.max(wanted, least), replayBytes)
  }
}
