import type { ByteSink } from './chunk-queue.ts'
import { type FrameType, frameHeaderBytes, writeFrameHeader } from './frame.ts'

const slabBytes = 64 * 1_024
/** Pieces up to this are copied next to each other; a bigger one travels as the view it is. */
const copyBytes = 4 * 1_024

/**
 * Gathers frames into one packet. Small pieces share a slab, so that a packet of many small frames is one buffer;
 * big payloads are not copied.
 */
export class PacketBuilder implements ByteSink {
  #slab = Buffer.allocUnsafeSlow(slabBytes)
  /** Start and end of the run of the slab that is not in `#chunks` yet. */
  #start = 0
  #end = 0
  #chunks: Buffer[] = []
  #length = 0

  /** Bytes since `begin`, reserved ones not counted. */
  get length(): number {
    return this.#length
  }

  /** Starts a packet whose first `reserved` bytes the caller will write. */
  begin(reserved: number): void {
    this.#chunks = []
    this.#start = this.#end
    this.#room(reserved + 256)
    this.#end += reserved
    this.#length = 0
  }

  frame(type: FrameType, stream: number, payloadBytes: number): void {
    this.#room(frameHeaderBytes)
    writeFrameHeader(this.#slab, this.#end, type, stream, payloadBytes)
    this.#end += frameHeaderBytes
    this.#length += frameHeaderBytes
  }

  uint32(value: number): void {
    this.#room(4)
    this.#end = this.#slab.writeUInt32BE(value, this.#end)
    this.#length += 4
  }

  bytes(chunk: Buffer): void {
    this.#length += chunk.length
    if (chunk.length > copyBytes) {
      this.#closeRun()
      this.#chunks.push(chunk)
      return
    }
    this.#room(chunk.length)
    this.#slab.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** The packet, reserved bytes first. */
  finish(): Buffer[] {
    this.#closeRun()
    return this.#chunks
  }

  /** Nothing was put in: gives the reserved bytes back. */
  abandon(): void {
    this.#end = this.#start
  }

  #room(bytes: number): void {
    if (slabBytes - this.#end >= bytes) return
    this.#closeRun()
    this.#slab = Buffer.allocUnsafeSlow(slabBytes)
    this.#start = 0
    this.#end = 0
  }

  #closeRun(): void {
    if (this.#end > this.#start) this.#chunks.push(this.#slab.subarray(this.#start, this.#end))
    this.#start = this.#end
  }
}
