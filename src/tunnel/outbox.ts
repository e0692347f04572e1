import { Fifo } from './fifo.ts'
import { FrameType } from './frame.ts'
import type { TunnelLimits } from './limits.ts'
import type { PacketBuilder } from './packet-builder.ts'

/** What a stream offers to the outbox. */
export interface Sender {
  readonly id: number
  /** Adds one frame of at most `frameBytes` payload; returns whether it has another. */
  emit(packet: PacketBuilder, frameBytes: number): boolean
  /** The credit to be sent now; 0 where the stream is over. */
  grant(): number
}

/** Most payload of one DATA frame, and of one whose stream nobody waits behind. */
export interface FrameSize {
  readonly bytes: number
  readonly aloneBytes: number
}

type Datagram = { readonly stream: number; readonly payload: Buffer }

/**
 * What one lane has to send: control frames first, then the streams that have something, one frame each in turn,
 * datagrams taking a turn of their own. Nothing is encoded before there is room for it on the way.
 */
export class Outbox {
  readonly #limits: Pick<TunnelLimits, 'controlQueueBytes' | 'datagramQueueBytes' | 'packetBytes'>
  readonly #control = new Fifo<Buffer>()
  readonly #credits = new Fifo<Sender>()
  readonly #ready = new Fifo<Sender>()
  readonly #datagrams = new Fifo<Datagram>()
  #controlBytes = 0
  #datagramBytes = 0

  constructor(limits: Pick<TunnelLimits, 'controlQueueBytes' | 'datagramQueueBytes' | 'packetBytes'>) {
    this.#limits = limits
  }

  get waiting(): boolean {
    return this.#ready.length > 0 || this.#control.length > 0 || this.#credits.length > 0 || this.#datagrams.length > 0
  }

  /** So many control frames wait that no new stream should be opened. */
  get crowded(): boolean {
    return this.#controlBytes * 2 > this.#limits.controlQueueBytes
  }

  get flooded(): boolean {
    return this.#controlBytes > this.#limits.controlQueueBytes
  }

  control(frame: Buffer): void {
    if (this.flooded) return
    this.#controlBytes += frame.length
    this.#control.push(frame)
  }

  /** The caller sees to it that a sender is in here at most once. */
  credit(sender: Sender): void {
    this.#credits.push(sender)
  }

  /** The caller sees to it that a sender is in here at most once. */
  ready(sender: Sender): void {
    this.#ready.push(sender)
  }

  datagram(stream: number, payload: Buffer): void {
    if (this.#datagramBytes + payload.length > this.#limits.datagramQueueBytes) return
    this.#datagramBytes += payload.length
    this.#datagrams.push({ stream, payload })
  }

  fill(packet: PacketBuilder, budget: number, size: FrameSize): void {
    if (!this.#fillControl(packet)) return
    let mayDatagram = true
    while (packet.length < budget) {
      if (mayDatagram && this.#datagrams.length > 0) {
        this.#fillDatagram(packet)
        mayDatagram = this.#ready.length === 0
        continue
      }
      mayDatagram = true
      const sender = this.#ready.shift()
      if (!sender) return
      const alone = this.#ready.length === 0 && this.#datagrams.length === 0
      if (sender.emit(packet, alone ? size.aloneBytes : size.bytes)) this.#ready.push(sender)
    }
  }

  clear(): void {
    this.#control.clear()
    this.#credits.clear()
    this.#ready.clear()
    this.#datagrams.clear()
    this.#controlBytes = 0
    this.#datagramBytes = 0
  }

  /** Returns whether all of it went in. */
  #fillControl(packet: PacketBuilder): boolean {
    while (packet.length < this.#limits.packetBytes) {
      const frame = this.#control.shift()
      if (frame) {
        this.#controlBytes -= frame.length
        packet.bytes(frame)
        continue
      }
      const sender = this.#credits.shift()
      if (!sender) return true
      const granted = sender.grant()
      if (granted === 0) continue
      packet.frame(FrameType.Credit, sender.id, 4)
      packet.uint32(granted)
    }
    return false
  }

  #fillDatagram(packet: PacketBuilder): void {
    const datagram = this.#datagrams.shift()
    if (!datagram) return
    this.#datagramBytes -= datagram.payload.length
    packet.frame(FrameType.Datagram, datagram.stream, datagram.payload.length)
    packet.bytes(datagram.payload)
  }
}
