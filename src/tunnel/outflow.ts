import { DeliveryMeter } from './delivery-meter.ts'
import { ProtocolError } from './error.ts'
import { FrameType, frameHeaderBytes, writeFrameHeader } from './frame.ts'
import type { TunnelLimits } from './limits.ts'
import type { FrameSize } from './outbox.ts'
import { ackNow, dataPacketHeaderBytes, writeDataHeader } from './packet.ts'
import { PacketBuilder } from './packet-builder.ts'
import { ReplayBuffer } from './replay-buffer.ts'
import type { Carrier } from './types.ts'

/** Where the bytes come from. */
export interface FrameSource {
  /** Adds frames until `budget` bytes are reached; with budget 0 only control frames. */
  fill(packet: PacketBuilder, budget: number, size: FrameSize): void
}

/** Control frames may exceed the flight's limit by this much. */
const controlOverdraftBytes = 64 * 1_024
/** A chunk up to this is copied behind its headers. */
const mergeBytes = 4 * 1_024
/** A flight up to this belongs to a link on which a frame can be felt. */
const slowFlightBytes = 256 * 1_024

/** The outgoing half of a session: pulls packets from its source as the flight allows, and keeps them until acknowledged. */
export class Outflow {
  readonly #source: FrameSource
  readonly #limits: TunnelLimits
  readonly #builder = new PacketBuilder()
  readonly #replay = new ReplayBuffer()
  readonly #meter: DeliveryMeter
  readonly #size: FrameSize
  readonly #slowSize: FrameSize
  /** Bytes sent since an acknowledgement was last asked for. */
  #sinceAsk = 0
  #askNext = false

  constructor(source: FrameSource, limits: TunnelLimits) {
    this.#source = source
    this.#limits = limits
    this.#meter = new DeliveryMeter(limits)
    this.#size = { bytes: limits.frameBytes, aloneBytes: limits.aloneFrameBytes }
    this.#slowSize = { bytes: limits.slowFrameBytes, aloneBytes: limits.slowFrameBytes }
  }

  /** Bytes that are under way. */
  get inFlightBytes(): number {
    return this.#replay.bytes
  }

  /** Position after the last byte that was sent. */
  get sent(): number {
    return this.#replay.sent
  }

  get roundTripMs(): number | undefined {
    return this.#meter.roundTripMs
  }

  /** The next packet asks for its acknowledgement at once. */
  askForAck(): void {
    this.#askNext = true
  }

  /** A ping came back. */
  roundTrip(ms: number, now: number): void {
    this.#meter.roundTrip(ms, now)
  }

  /** Throws ProtocolError 'bad-ack' where no honest peer can be. */
  acked(position: number, now: number): void {
    if (position === this.#replay.acked) return
    const last = this.#replay.ack(position)
    if (!last) throw new ProtocolError('bad-ack', `the peer has ${position} bytes, which is not the end of a packet`)
    this.#meter.acked(last, position, now)
  }

  /** Starts on another carrier, whose peer has `position` bytes: what is missing goes first. Throws as `acked` does. */
  resume(carrier: Carrier, position: number, received: number, now: number): void {
    this.acked(position, now)
    this.#meter.restart(this.#replay.sent, now)
    for (const { chunks, start } of this.#replay.unacked()) {
      const header = Buffer.allocUnsafe(dataPacketHeaderBytes)
      writeDataHeader(header, start, received, ackNow)
      const [first, ...rest] = chunks
      carrier.send([header, (first as Buffer).subarray(dataPacketHeaderBytes), ...rest])
    }
  }

  /**
   * Sends one packet, which acknowledges `received` bytes of the peer's. 'full': neither the flight nor the carrier
   * takes more, 'dry': there was nothing to send.
   */
  send(carrier: Carrier, received: number, now: number): 'sent' | 'full' | 'dry' {
    const replay = this.#replay
    const limit = this.#meter.limitBytes
    const room = limit - replay.bytes
    if (carrier.bufferedBytes > this.#limits.carrierBufferBytes) return 'full'
    if (room <= -controlOverdraftBytes || replay.packets >= this.#limits.replayPackets) return 'full'
    const slow = limit <= slowFlightBytes
    const most = slow ? this.#slowSize.bytes : this.#limits.packetBytes
    const builder = this.#builder
    builder.begin(dataPacketHeaderBytes)
    this.#source.fill(builder, Math.max(0, Math.min(room, most)), slow ? this.#slowSize : this.#size)
    const { length } = builder
    if (length === 0) {
      builder.abandon()
      if (room <= 0) return 'full'
      this.#meter.ranDry(replay.sent)
      return 'dry'
    }
    this.#depart(carrier, builder.finish(), length, received, now)
    return 'sent'
  }

  /** Sends one DATA frame as a packet of its own, past the source. Takes ownership of the chunk. */
  sendData(carrier: Carrier, received: number, stream: number, chunk: Buffer, now: number): void {
    const merged = chunk.length <= mergeBytes
    const head = Buffer.allocUnsafe(dataPacketHeaderBytes + frameHeaderBytes + (merged ? chunk.length : 0))
    writeFrameHeader(head, dataPacketHeaderBytes, FrameType.Data, stream, chunk.length)
    if (merged) head.set(chunk, dataPacketHeaderBytes + frameHeaderBytes)
    this.#depart(carrier, merged ? [head] : [head, chunk], frameHeaderBytes + chunk.length, received, now)
  }

  /** The first chunk starts with room for the packet's header. */
  #depart(carrier: Carrier, chunks: Buffer[], bytes: number, received: number, now: number): void {
    const replay = this.#replay
    this.#sinceAsk += bytes
    const prompt = this.#askNext || this.#sinceAsk >= this.#meter.limitBytes / 4
    if (prompt) {
      this.#sinceAsk = 0
      this.#askNext = false
    }
    writeDataHeader(chunks[0] as Buffer, replay.sent, received, prompt ? ackNow : 0)
    carrier.send(chunks)
    replay.add(this.#meter.stamp(chunks, bytes, prompt, replay, now))
  }

  clear(): void {
    this.#replay.clear()
  }
}
