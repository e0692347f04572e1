import { Fifo } from './fifo.ts'

export interface ByteSink {
  bytes(chunk: Buffer): void
}

const mergeBytes = 1_024
const slabBytes = 16 * 1_024

/**
 * Bytes that wait, as the chunks they came in. Small chunks that follow each other are merged, so that a queue of n
 * bytes costs about n bytes however finely it was written, and pins no bigger buffer for a small view on it.
 */
export class ChunkQueue {
  readonly #chunks = new Fifo<Buffer>()
  /** Start of what is left of the first chunk. */
  #offset = 0
  #bytes = 0
  /** The slab that the last chunk is a view on, where there is room behind it. */
  #slab: Buffer | undefined
  #slabFill = 0

  get bytes(): number {
    return this.#bytes
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#bytes += chunk.length
    if (this.#chunks.length === 0 || chunk.length > mergeBytes) {
      this.#slab = undefined
      this.#chunks.push(chunk)
    } else {
      this.#merge(chunk)
    }
  }

  /** Moves up to `most` bytes into `sink`, oldest first. */
  take(most: number, sink: ByteSink): void {
    let left = Math.min(most, this.#bytes)
    this.#bytes -= left
    while (left > 0) {
      const chunk = this.#chunks.peek()
      if (!chunk) return
      const rest = chunk.length - this.#offset
      if (rest > left) {
        sink.bytes(chunk.subarray(this.#offset, this.#offset + left))
        this.#offset += left
        return
      }
      this.#chunks.shift()
      sink.bytes(this.#offset === 0 ? chunk : chunk.subarray(this.#offset))
      this.#offset = 0
      left -= rest
    }
  }

  clear(): void {
    this.#chunks.clear()
    this.#offset = 0
    this.#bytes = 0
    this.#slab = undefined
  }

  #merge(chunk: Buffer): void {
    if (this.#slab && this.#slab.length - this.#slabFill >= chunk.length) {
      const last = this.#chunks.last() as Buffer
      chunk.copy(this.#slab, this.#slabFill)
      const start = this.#slabFill - last.length
      this.#slabFill += chunk.length
      this.#chunks.replaceLast(this.#slab.subarray(start, this.#slabFill))
      return
    }
    this.#slab = Buffer.allocUnsafeSlow(slabBytes)
    this.#slabFill = chunk.copy(this.#slab)
    this.#chunks.push(this.#slab.subarray(0, this.#slabFill))
  }
}
