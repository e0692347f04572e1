import { TunnelError } from './error.ts'
import type { TunnelLimits } from './limits.ts'
import { Mux, type PeerLimits } from './mux.ts'
import { Session, type SessionOwner } from './session.ts'
import type { MuxStream } from './stream.ts'
import type { GoAway } from './stream-json.ts'
import type { TunnelTotals } from './totals.ts'
import type { Carrier, StreamHeader } from './types.ts'

/** The tunnel, as its lanes see it. */
export interface LaneOwner {
  readonly side: 'client' | 'server'
  readonly limits: TunnelLimits
  readonly totals: TunnelTotals
  onStream(stream: MuxStream): void
  onStreamOver(): void
  onGoAway(message: GoAway): void
  onLaneUp(lane: Lane): void
  onLaneDown(lane: Lane, reason: string): void
  /** Its session is gone, its streams were reset. `error` where the protocol was broken. */
  onLaneLost(lane: Lane, error: TunnelError | undefined): void
}

const idleRoundTripMs = 20

/** One of the parallel ways of a tunnel: a session with its mux, replaced by a new pair when the session is lost. */
export class Lane implements SessionOwner {
  readonly index: number
  readonly #owner: LaneOwner
  #current: { readonly id: string; readonly session: Session; readonly mux: Mux } | undefined
  #graceTimer: NodeJS.Timeout | undefined

  constructor(index: number, owner: LaneOwner) {
    this.index = index
    this.#owner = owner
  }

  get up(): boolean {
    return this.#current?.session.up ?? false
  }

  get sessionId(): string | undefined {
    return this.#current?.id
  }

  /** What a hello that resumes must name. */
  get received(): number {
    return this.#current?.session.received ?? 0
  }

  get streams(): number {
    return this.#current?.mux.streams ?? 0
  }

  /** Bytes that a new stream would share the lane with. */
  get load(): number {
    return this.#current ? this.#current.session.load + this.#current.mux.queuedBytes : 0
  }

  /** Sent and not acknowledged. */
  get inFlightBytes(): number {
    return this.#current?.session.inFlightBytes ?? 0
  }

  get roundTripMs(): number | undefined {
    return this.#current?.session.roundTripMs
  }

  /** A new session, not attached yet; the one before is lost. */
  begin(id: string, peer: PeerLimits): void {
    this.lose('session-lost')
    const owner = this.#owner
    const mux: Mux = new Mux({
      side: owner.side,
      limits: owner.limits,
      totals: owner.totals,
      peer,
      wake: () => session.wake(),
      sendNow: (stream, chunk) => session.sendNow(stream, chunk),
      stalled: () => !session.up,
      roundTripMs: () => session.roundTripMs ?? idleRoundTripMs,
      onStream: (stream) => owner.onStream(stream),
      onStreamOver: () => owner.onStreamOver(),
      onGoAway: (message) => owner.onGoAway(message),
      onFlood: () => setImmediate(() => session.fail(new TunnelError('flood', 'the peer asks for more than it reads'))),
    })
    const session = new Session(mux, this, owner.limits)
    this.#current = { id, session, mux }
  }

  /** Throws ProtocolError 'bad-ack' where the two sides do not fit. */
  attach(carrier: Carrier, peerReceived: number): void {
    this.#current?.session.attach(carrier, peerReceived)
    clearTimeout(this.#graceTimer)
    this.#owner.onLaneUp(this)
  }

  open(header: StreamHeader): MuxStream {
    if (!this.#current) throw new TunnelError('tunnel-down', 'the lane has no session')
    return this.#current.mux.open(header)
  }

  goAway(message: GoAway): void {
    this.#current?.mux.goAway(message)
    this.#current?.session.askForAck()
  }

  /** Resolves when the peer has everything, or never will; with `orDown` not later than the carrier is lost. */
  acknowledged(orDown: boolean): Promise<void> {
    return this.#current?.session.acknowledged(orDown) ?? Promise.resolve()
  }

  resetStreams(code: string): void {
    this.#current?.mux.destroy(code)
  }

  /** Gives the session up and resets its streams. */
  lose(code: string, closeCode = 4_000): void {
    const current = this.#current
    if (!current) return
    clearTimeout(this.#graceTimer)
    this.#current = undefined
    current.session.end(closeCode, code)
    current.mux.destroy(code)
  }

  onDown(reason: string): void {
    this.#graceTimer = setTimeout(() => {
      this.lose('session-lost')
      this.#owner.onLaneLost(this, undefined)
    }, this.#owner.limits.graceMs)
    this.#owner.onLaneDown(this, reason)
  }

  onFailed(error: TunnelError): void {
    const current = this.#current
    this.#current = undefined
    current?.mux.destroy(error.code)
    this.#owner.onLaneLost(this, error)
  }
}
