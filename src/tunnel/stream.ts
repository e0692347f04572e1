import { ChunkQueue } from './chunk-queue.ts'
import { FrameType } from './frame.ts'
import { maxDatagramBytes, type TunnelLimits } from './limits.ts'
import type { Sender } from './outbox.ts'
import type { PacketBuilder } from './packet-builder.ts'
import { ReceiveWindow, type WindowClock } from './receive-window.ts'
import type { TunnelTotals } from './totals.ts'
import type { StreamHandlers, StreamHeader, TunnelStream } from './types.ts'

/** What a stream needs of its mux. */
export interface StreamHost extends WindowClock {
  readonly limits: TunnelLimits
  readonly totals: TunnelTotals
  readonly stalled: boolean
  /** Bytes that all streams of the lane have queued. */
  queuedBytes: number
  /** Sends a chunk that has nobody to wait for, and returns whether it did. */
  sendNow(stream: MuxStream, chunk: Buffer): boolean
  ready(stream: MuxStream): void
  credit(stream: MuxStream): void
  datagram(stream: MuxStream, payload: Buffer): void
  drained(stream: MuxStream): void
  accept(stream: MuxStream): void
  refuse(stream: MuxStream, code: string, message: string): void
  reset(stream: MuxStream, code: string): void
  /** Nothing will happen on it any more. */
  over(stream: MuxStream): void
}

const crowdedQueueBytes = 16 * 1_024

/** offered: waits for ACCEPT, ours to wait (opener) or to give (acceptor). over: its methods do nothing. */
type Phase = 'offered' | 'open' | 'over'

export class MuxStream implements TunnelStream, Sender {
  readonly id: number
  readonly header: StreamHeader
  /** We opened it. */
  readonly ours: boolean
  readonly #host: StreamHost
  readonly #window: ReceiveWindow
  readonly #queue = new ChunkQueue()
  #phase: Phase = 'offered'
  #handlers: StreamHandlers | undefined
  /** What arrived before the handlers. */
  #early: ((to: StreamHandlers) => void)[] = []
  /** What we may still send. */
  #credit: number
  #finWanted = false
  #finSent = false
  #finReceived = false
  #inReady = false
  #inCredit = false
  #wantsDrain = false

  constructor(host: StreamHost, id: number, header: StreamHeader, ours: boolean, credit: number) {
    this.#host = host
    this.id = id
    this.header = header
    this.ours = ours
    this.#credit = credit
    this.#window = new ReceiveWindow(host.limits, host.totals)
  }

  get stalled(): boolean {
    return this.#host.stalled
  }

  get phase(): Phase {
    return this.#phase
  }

  get finReceived(): boolean {
    return this.#finReceived
  }

  handle(handlers: StreamHandlers): void {
    this.#handlers = handlers
    const early = this.#early
    this.#early = []
    for (const event of early) event(handlers)
  }

  write(chunk: Buffer): boolean {
    if (this.#phase === 'over' || this.#finWanted) return true
    if (this.#phase === 'offered' && !this.ours) this.accept()
    if (
      this.#queue.bytes === 0 &&
      chunk.length > 0 &&
      chunk.length <= this.#credit &&
      this.#host.sendNow(this, chunk)
    ) {
      this.#credit -= chunk.length
      return true
    }
    this.#queue.push(chunk)
    this.#host.queuedBytes += chunk.length
    this.#wake()
    this.#wantsDrain = this.#queue.bytes >= this.#queueLimit
    return !this.#wantsDrain
  }

  end(): void {
    if (this.#phase === 'over' || this.#finWanted) return
    if (this.#phase === 'offered' && !this.ours) this.accept()
    this.#finWanted = true
    this.#wake()
  }

  reset(code = 'reset'): void {
    if (this.#phase === 'over') return
    this.#host.reset(this, code)
    this.#finish()
  }

  accept(): void {
    if (this.#phase !== 'offered' || this.ours) return
    this.#phase = 'open'
    this.#host.accept(this)
  }

  refuse(code: string, message: string): void {
    if (this.#phase !== 'offered' || this.ours) return
    this.#host.refuse(this, code, message)
    this.#finish()
  }

  consumed(bytes: number): void {
    if (this.#phase === 'over') return
    const due = this.#window.consume(bytes, this.#host)
    if (this.#finReceived) this.#finishIfDone()
    else if (due && !this.#inCredit) {
      this.#inCredit = true
      this.#host.credit(this)
    }
  }

  sendDatagram(datagram: Buffer): void {
    if (this.#phase === 'over' || this.stalled || datagram.length > maxDatagramBytes) return
    if (this.#phase === 'offered' && !this.ours) this.accept()
    this.#host.datagram(this, datagram)
  }

  emit(packet: PacketBuilder, frameBytes: number): boolean {
    this.#inReady = false
    if (this.#phase === 'over') return false
    const bytes = Math.min(this.#queue.bytes, this.#credit, frameBytes)
    if (bytes > 0) {
      packet.frame(FrameType.Data, this.id, bytes)
      this.#queue.take(bytes, packet)
      this.#credit -= bytes
      this.#host.queuedBytes -= bytes
      this.#host.totals.bytesOut += bytes
      if (this.#wantsDrain && this.#queue.bytes * 2 <= this.#queueLimit) this.#host.drained(this)
    }
    if (this.#queue.bytes === 0 && this.#finWanted && !this.#finSent) {
      packet.frame(FrameType.Fin, this.id, 0)
      this.#finSent = true
      this.#finishIfDone()
    }
    this.#inReady = this.#sendable
    return this.#inReady
  }

  grant(): number {
    this.#inCredit = false
    return this.#phase === 'over' || this.#finReceived ? 0 : this.#window.grant()
  }

  /** The writer may go on. */
  onDrained(): void {
    if (this.#phase === 'over' || !this.#wantsDrain) return
    this.#wantsDrain = false
    this.#tell((to) => to.onDrain())
  }

  onAccepted(): void {
    this.#phase = 'open'
    this.#tell((to) => to.onAccept?.())
  }

  onRefused(code: string, message: string): void {
    this.#finish()
    this.#tell((to) => to.onRefuse?.(code, message))
  }

  /** False where the peer had no credit for it. */
  onBytes(chunk: Buffer): boolean {
    const behind = this.#window.held > 0 || chunk.buffer.byteLength > pinnedBytes
    if (!this.#window.receive(chunk.length)) return false
    this.#host.totals.bytesIn += chunk.length
    // A reader that is (or falls) behind must not pin a whole packet for a few bytes of it.
    const own = behind && chunk.length * 4 < chunk.buffer.byteLength ? Buffer.from(chunk) : chunk
    if (this.#handlers) this.#handlers.onData(own)
    else this.#early.push((to) => to.onData(own))
    return true
  }

  onFin(): void {
    this.#finReceived = true
    this.#tell((to) => to.onEnd())
    this.#finishIfDone()
  }

  onCredit(bytes: number): boolean {
    this.#credit += bytes
    if (this.#queue.bytes > 0) this.#wake()
    return this.#credit <= 0xffff_ffff
  }

  onDatagram(payload: Buffer): void {
    if (this.#handlers) this.#handlers.onDatagram?.(payload)
    else if (this.#early.length < maxEarlyEvents) this.#early.push((to) => to.onDatagram?.(payload))
  }

  /** Dead: by the peer's reset, or with its lane. A stream that is complete but for our reader just ends. */
  kill(code: string): void {
    if (this.#phase === 'over') return
    const complete = this.#finSent && this.#finReceived
    this.#finish()
    if (!complete) this.#tell((to) => to.onReset(code))
  }

  get #sendable(): boolean {
    if (this.#phase === 'over' || this.#finSent) return false
    return this.#queue.bytes > 0 ? this.#credit > 0 : this.#finWanted
  }

  get #queueLimit(): number {
    const { limits, queuedBytes } = this.#host
    return queuedBytes > limits.laneQueueBytes
      ? Math.min(crowdedQueueBytes, limits.streamQueueBytes)
      : limits.streamQueueBytes
  }

  #wake(): void {
    if (this.#inReady || !this.#sendable) return
    this.#inReady = true
    this.#host.ready(this)
  }

  #tell(event: (to: StreamHandlers) => void): void {
    if (this.#handlers) event(this.#handlers)
    else this.#early.push(event)
  }

  #finishIfDone(): void {
    if (this.#finSent && this.#finReceived && this.#window.held === 0) this.#finish()
  }

  #finish(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#host.queuedBytes -= this.#queue.bytes
    this.#queue.clear()
    this.#window.release()
    this.#host.over(this)
  }
}

const maxEarlyEvents = 64
/** A packet up to this may be pinned by a piece of it. */
const pinnedBytes = 16 * 1_024
