import { ProtocolError, TunnelError } from './error.ts'
import { encodeFrame, FrameType } from './frame.ts'
import { FrameDecoder, type FrameSink } from './frame-decoder.ts'
import type { TunnelLimits } from './limits.ts'
import { type FrameSize, Outbox } from './outbox.ts'
import type { PacketBuilder } from './packet-builder.ts'
import { MuxStream, type StreamHost } from './stream.ts'
import { decodeGoAway, decodeHeader, decodeRefusal, type GoAway } from './stream-json.ts'
import type { TunnelTotals } from './totals.ts'
import type { StreamHeader } from './types.ts'

/** What the peer's handshake said about its own limits. */
export interface PeerLimits {
  readonly maxStreams: number
  readonly streamWindowBytes: number
  readonly headerBytes: number
}

export interface MuxOptions {
  /** Which half of the stream numbers is ours: the client's are odd. */
  readonly side: 'client' | 'server'
  readonly limits: TunnelLimits
  readonly peer: PeerLimits
  readonly totals: TunnelTotals
  /** There is something to fill in. */
  wake(): void
  /** Sends one DATA frame at once where nothing speaks for waiting; returns whether it did. */
  sendNow(stream: number, chunk: Buffer): boolean
  stalled(): boolean
  roundTripMs(): number
  onStream(stream: MuxStream): void
  onGoAway(message: GoAway): void
  /** The peer causes more control frames than it reads; called in anybody's call, so nothing may end in it. */
  onFlood(): void
  /** A stream of the tunnel is over. */
  onStreamOver(): void
}

const lastId = 0xffff_ffff

/** The streams of one session: frames in, frames out. No I/O and no time of its own. */
export class Mux implements StreamHost, FrameSink {
  readonly limits: TunnelLimits
  readonly totals: TunnelTotals
  queuedBytes = 0
  readonly #options: MuxOptions
  readonly #decoder: FrameDecoder
  readonly #outbox: Outbox
  readonly #streams = new Map<number, MuxStream>()
  #drained: MuxStream[] = []
  #nextId: number

  constructor(options: MuxOptions) {
    this.#options = options
    this.limits = options.limits
    this.totals = options.totals
    this.#decoder = new FrameDecoder(this, options.limits)
    this.#outbox = new Outbox(options.limits)
    this.#nextId = options.side === 'client' ? 1 : 2
  }

  get streams(): number {
    return this.#streams.size
  }

  get stalled(): boolean {
    return this.#options.stalled()
  }

  get roundTripMs(): number {
    return this.#options.roundTripMs()
  }

  now(): number {
    return performance.now()
  }

  get waiting(): boolean {
    return this.#drained.length > 0 || this.#outbox.waiting
  }

  /** Throws TunnelError 'too-many-streams', 'header-too-big' or 'tunnel-busy'. */
  open(header: StreamHeader): MuxStream {
    const { peer } = this.#options
    if (this.#outbox.crowded) throw new TunnelError('tunnel-busy', 'the peer does not read what was sent to it before')
    const json = Buffer.from(JSON.stringify(header))
    if (json.length > peer.headerBytes) {
      throw new TunnelError(
        'header-too-big',
        `a stream header of ${json.length} bytes; the peer takes ${peer.headerBytes}`,
      )
    }
    if (this.totals.ownStreams >= peer.maxStreams) {
      throw new TunnelError('too-many-streams', `${this.totals.ownStreams} streams are open; the peer takes no more`)
    }
    const stream = new MuxStream(this, this.#freeId(), header, true, peer.streamWindowBytes)
    this.#streams.set(stream.id, stream)
    this.totals.ownStreams += 1
    this.#control(FrameType.Open, stream.id, json)
    return stream
  }

  goAway(message: GoAway): void {
    this.#control(
      FrameType.GoAway,
      0,
      Buffer.from(JSON.stringify({ ...message, reason: message.reason.slice(0, 200) })),
    )
  }

  receive(packet: Buffer, start: number): void {
    this.#decoder.push(packet, start)
  }

  fill(packet: PacketBuilder, budget: number, size: FrameSize): void {
    this.#outbox.fill(packet, budget, size)
  }

  flushed(): void {
    if (this.#drained.length === 0) return
    const drained = this.#drained
    this.#drained = []
    for (const stream of drained) stream.onDrained()
  }

  /** Every stream is dead. */
  destroy(code: string): void {
    for (const stream of [...this.#streams.values()]) stream.kill(code)
    this.#outbox.clear()
  }

  onFrame(kind: FrameType, id: number, payload: Buffer): void {
    if (kind === FrameType.GoAway) this.#options.onGoAway(decodeGoAway(payload))
    else if (kind === FrameType.Open) this.#onOpen(id, payload)
    else {
      const stream = this.#streams.get(id)
      // Otherwise it was under way when the stream ended here.
      if (stream) this.#onStreamFrame(kind, stream, payload)
    }
  }

  #onStreamFrame(kind: StreamFrame, stream: MuxStream, payload: Buffer): void {
    if (!takes(stream, kind)) throw broken(kind, stream.id)
    switch (kind) {
      case FrameType.Data:
        if (!stream.onBytes(payload)) {
          throw new ProtocolError('no-credit', `the peer sent more on stream ${stream.id} than it may`)
        }
        return
      case FrameType.Credit:
        if (!stream.onCredit(payload.readUInt32BE(0))) throw broken(kind, stream.id)
        return
      case FrameType.Accept:
        stream.onAccepted()
        return
      case FrameType.Refuse: {
        const { code, message } = decodeRefusal(payload)
        stream.onRefused(code, message)
        return
      }
      case FrameType.Fin:
        stream.onFin()
        return
      case FrameType.Reset:
        stream.kill(payload.toString('utf8') || 'reset')
        return
      case FrameType.Datagram:
        stream.onDatagram(payload)
        return
      default:
        kind satisfies never
    }
  }

  sendNow(stream: MuxStream, chunk: Buffer): boolean {
    if (chunk.length > this.limits.slowFrameBytes || this.#outbox.waiting) return false
    if (!this.#options.sendNow(stream.id, chunk)) return false
    this.totals.bytesOut += chunk.length
    return true
  }

  ready(stream: MuxStream): void {
    this.#outbox.ready(stream)
    this.#options.wake()
  }

  credit(stream: MuxStream): void {
    this.#outbox.credit(stream)
    this.#options.wake()
  }

  datagram(stream: MuxStream, payload: Buffer): void {
    this.#outbox.datagram(stream.id, payload)
    this.#options.wake()
  }

  drained(stream: MuxStream): void {
    this.#drained.push(stream)
  }

  accept(stream: MuxStream): void {
    this.#control(FrameType.Accept, stream.id)
  }

  refuse(stream: MuxStream, code: string, message: string): void {
    this.#refuse(stream.id, code, message)
  }

  reset(stream: MuxStream, code: string): void {
    this.#control(FrameType.Reset, stream.id, Buffer.from(code.slice(0, 64)).subarray(0, 64))
  }

  over(stream: MuxStream): void {
    if (!this.#streams.delete(stream.id)) return
    if (stream.ours) this.totals.ownStreams -= 1
    else this.totals.peerStreams -= 1
    this.#options.onStreamOver()
  }

  #onOpen(id: number, payload: Buffer): void {
    const theirs = id % 2 === (this.#options.side === 'client' ? 0 : 1)
    if (!theirs || id === 0 || this.#streams.has(id)) throw broken(FrameType.Open, id)
    const header = decodeHeader(payload)
    if (this.totals.peerStreams >= this.limits.maxStreams) {
      this.#refuse(id, 'too-many-streams', `${this.limits.maxStreams} streams are open`)
      return
    }
    const stream = new MuxStream(this, id, header, false, this.#options.peer.streamWindowBytes)
    this.#streams.set(id, stream)
    this.totals.peerStreams += 1
    this.#options.onStream(stream)
  }

  #refuse(id: number, code: string, message: string): void {
    const payload = JSON.stringify({ code: code.slice(0, 64), message: message.slice(0, 300) })
    this.#control(FrameType.Refuse, id, Buffer.from(payload))
  }

  #control(type: FrameType, id: number, payload?: Buffer): void {
    this.#outbox.control(encodeFrame(type, id, payload))
    if (this.#outbox.flooded) this.#options.onFlood()
    this.#options.wake()
  }

  #freeId(): number {
    let id = this.#nextId
    while (this.#streams.has(id)) id = following(id)
    this.#nextId = following(id)
    return id
  }
}

const following = (id: number) => (id + 2 > lastId ? 2 - (id % 2) : id + 2)
const broken = (kind: FrameType, id: number) =>
  new ProtocolError('bad-frame', `the peer sent a frame of type ${kind} that stream ${id} cannot take`)

type StreamFrame = Exclude<FrameType, typeof FrameType.Open | typeof FrameType.GoAway>

/** Whether a peer that keeps to the protocol can send this now. */
function takes(stream: MuxStream, kind: StreamFrame): boolean {
  const unanswered = stream.ours && stream.phase === 'offered'
  switch (kind) {
    case FrameType.Accept:
    case FrameType.Refuse:
      return unanswered
    case FrameType.Data:
    case FrameType.Fin:
      return !unanswered && !stream.finReceived
    case FrameType.Datagram:
      return !unanswered
    case FrameType.Credit:
    case FrameType.Reset:
      return true
    default:
      kind satisfies never
      return false
  }
}
