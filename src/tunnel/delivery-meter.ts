import { FlightLimit } from './flight-limit.ts'
import type { TunnelLimits } from './limits.ts'
import type { SentPacket } from './replay-buffer.ts'

/** How far sending and acknowledging are. */
interface Progress {
  readonly acked: number
  readonly sent: number
  readonly bytes: number
}

/** Stamps what is sent, and turns the acknowledgements into samples for the flight's limit. One carrier at a time. */
export class DeliveryMeter {
  readonly #limits: TunnelLimits
  #flight: FlightLimit
  /** When the last acknowledgement came, and when the last packet that it covers was sent. */
  #ackedAt = 0
  #departure = 0
  /** Where we last had nothing to send: until more than that is acknowledged, the link was not full. */
  #dryAt = 0
  /** What was first sent on an earlier carrier says nothing about this one. */
  #from = 0

  constructor(limits: TunnelLimits) {
    this.#limits = limits
    this.#flight = new FlightLimit(limits)
  }

  /** Bytes that may be under way. */
  get limitBytes(): number {
    return this.#flight.bytes
  }

  get roundTripMs(): number | undefined {
    return this.#flight.roundTripMs
  }

  /** Another carrier: nothing is known of it. */
  restart(sent: number, now: number): void {
    this.#flight = new FlightLimit(this.#limits)
    this.#ackedAt = now
    this.#departure = now
    this.#dryAt = sent
    this.#from = sent
  }

  /** Everything that there was has been sent. */
  ranDry(sent: number): void {
    this.#dryAt = sent
  }

  stamp(chunks: readonly Buffer[], bytes: number, prompt: boolean, at: Progress, now: number): SentPacket {
    if (at.bytes === 0) {
      this.#ackedAt = now
      this.#departure = now
      this.#dryAt = at.sent
    }
    return {
      chunks,
      start: at.sent,
      end: at.sent + bytes,
      sentAt: now,
      prompt,
      appLimited: at.acked <= this.#dryAt,
      ackedThen: at.acked,
      ackedAtThen: this.#ackedAt,
      departureThen: this.#departure,
    }
  }

  /** `last` is the last packet that an acknowledgement of `position` covers. */
  acked(last: SentPacket, position: number, now: number): void {
    this.#ackedAt = now
    if (last.start < this.#from) return
    this.#flight.onSample({
      now,
      deliveredBytes: position - last.ackedThen,
      elapsedMs: Math.max(now - last.ackedAtThen, last.sentAt - last.departureThen),
      roundTripMs: last.prompt ? now - last.sentAt : undefined,
      appLimited: last.appLimited,
    })
    this.#departure = last.sentAt
  }

  /** A ping came back. */
  roundTrip(ms: number, now: number): void {
    if (ms >= 0 && ms < longestRoundTripMs) this.#flight.onRoundTrip(ms, now, false)
  }
}

const longestRoundTripMs = 600_000
