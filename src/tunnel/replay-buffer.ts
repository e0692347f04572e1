import { Fifo } from './fifo.ts'

/** A packet that was sent and is not acknowledged, with what is needed to measure the link when it is. */
export interface SentPacket {
  /** As given to the carrier: the first chunk starts with the packet's header. */
  readonly chunks: readonly Buffer[]
  /** Position of the first byte, and of the one after the last. */
  readonly start: number
  readonly end: number
  readonly sentAt: number
  /** Asked for an acknowledgement at once: its round trip counts. */
  readonly prompt: boolean
  readonly appLimited: boolean
  /** State of the acknowledgements when it was sent: position, time, and departure of the last packet they covered. */
  readonly ackedThen: number
  readonly ackedAtThen: number
  readonly departureThen: number
}

/** What may have to be sent again, oldest first. */
export class ReplayBuffer {
  readonly #packets = new Fifo<SentPacket>()
  #acked = 0
  #sent = 0

  /** Bytes that are under way. */
  get bytes(): number {
    return this.#sent - this.#acked
  }

  get packets(): number {
    return this.#packets.length
  }

  /** Position up to which the peer has everything. */
  get acked(): number {
    return this.#acked
  }

  /** Position after the last byte that was ever sent. */
  get sent(): number {
    return this.#sent
  }

  add(packet: SentPacket): void {
    this.#packets.push(packet)
    this.#sent = packet.end
  }

  /** Drops what `position` covers and returns the last packet of that; false where no honest peer can be there. */
  ack(position: number): SentPacket | undefined | false {
    if (position < this.#acked || position > this.#sent) return false
    let last: SentPacket | undefined
    for (let next = this.#packets.peek(); next && next.end <= position; next = this.#packets.peek()) {
      last = next
      this.#packets.shift()
    }
    const between = last ? last.end !== position : position !== this.#acked
    if (between) return false
    this.#acked = position
    return last
  }

  /** What must be sent again. */
  unacked(): Iterable<SentPacket> {
    return this.#packets
  }

  clear(): void {
    this.#packets.clear()
    this.#acked = this.#sent
  }
}
