import { ProtocolError } from './error.ts'
import { FrameType, frameHeaderBytes } from './frame.ts'
import { maxDataBytes, maxDatagramBytes, type TunnelLimits } from './limits.ts'

export interface FrameSink {
  /** `payload` is a view on the chunk that was pushed, or a buffer of its own where the frame was split. */
  onFrame(type: FrameType, stream: number, payload: Buffer): void
}

const nothing = Buffer.alloc(0)

/**
 * Frames out of a byte stream that is cut anywhere. Holds at most one incomplete frame.
 * `push` throws ProtocolError 'bad-frame' at the first frame that cannot be one; the decoder is useless from then on.
 */
export class FrameDecoder {
  readonly #sink: FrameSink
  readonly #least: readonly number[]
  readonly #most: readonly number[]
  readonly #header = Buffer.alloc(frameHeaderBytes)
  #headerFill = 0
  #payload: Buffer | undefined
  #payloadFill = 0

  constructor(sink: FrameSink, limits: Pick<TunnelLimits, 'headerBytes'>) {
    this.#sink = sink
    const sizes: Record<FrameType, readonly [number, number]> = {
      [FrameType.Open]: [2, limits.headerBytes],
      [FrameType.Accept]: [0, 0],
      [FrameType.Refuse]: [2, 2_048],
      [FrameType.Data]: [1, maxDataBytes],
      [FrameType.Credit]: [4, 4],
      [FrameType.Fin]: [0, 0],
      [FrameType.Reset]: [0, 64],
      [FrameType.Datagram]: [0, maxDatagramBytes],
      [FrameType.GoAway]: [2, 1_024],
    }
    const types = Object.values(FrameType)
    const table = (at: 0 | 1) =>
      Array.from({ length: Math.max(...types) + 1 }, (_, t) => sizes[t as FrameType]?.[at] ?? -1)
    this.#least = table(0)
    this.#most = table(1)
  }

  /** Takes the bytes of `chunk` from `from` on. */
  push(chunk: Buffer, from = 0): void {
    let at = this.#headerFill > 0 ? this.#finishSplit(chunk, from) : from
    while (chunk.length - at >= frameHeaderBytes) {
      const length = this.#check(chunk, at)
      const start = at + frameHeaderBytes
      if (chunk.length - start < length) break
      at = start + length
      this.#emit(chunk, start - frameHeaderBytes, length === 0 ? nothing : chunk.subarray(start, at))
    }
    if (at < chunk.length) this.#startSplit(chunk, at)
  }

  /** Bytes of an incomplete frame that are held. */
  get heldBytes(): number {
    return this.#headerFill + (this.#payload?.length ?? 0)
  }

  #check(from: Buffer, at: number): number {
    const type = from[at] ?? 0
    const length = ((from[at + 1] ?? 0) << 16) | ((from[at + 2] ?? 0) << 8) | (from[at + 3] ?? 0)
    const most = this.#most[type] ?? -1
    if (most < 0) throw new ProtocolError('bad-frame', `the peer sent a frame of unknown type ${type}`)
    if (length > most || length < (this.#least[type] ?? 0)) {
      throw new ProtocolError('bad-frame', `the peer sent a frame of type ${type} with ${length} bytes`)
    }
    return length
  }

  #emit(header: Buffer, at: number, payload: Buffer): void {
    this.#sink.onFrame((header[at] ?? 0) as FrameType, header.readUInt32BE(at + 4), payload)
  }

  #startSplit(chunk: Buffer, at: number): void {
    const header = Math.min(frameHeaderBytes, chunk.length - at)
    chunk.copy(this.#header, 0, at, at + header)
    this.#headerFill = header
    if (header < frameHeaderBytes) return
    this.#payload = Buffer.allocUnsafe(this.#check(this.#header, 0))
    this.#payloadFill = chunk.copy(this.#payload, 0, at + header)
  }

  /** Feeds the frame that an earlier chunk began; returns where the next one starts. */
  #finishSplit(chunk: Buffer, from: number): number {
    let at = from
    if (!this.#payload) {
      at = Math.min(from + frameHeaderBytes - this.#headerFill, chunk.length)
      chunk.copy(this.#header, this.#headerFill, from, at)
      this.#headerFill += at - from
      if (this.#headerFill < frameHeaderBytes) return at
      this.#payload = Buffer.allocUnsafe(this.#check(this.#header, 0))
      this.#payloadFill = 0
    }
    const payload = this.#payload
    const taken = Math.min(payload.length - this.#payloadFill, chunk.length - at)
    chunk.copy(payload, this.#payloadFill, at, at + taken)
    this.#payloadFill += taken
    if (this.#payloadFill < payload.length) return at + taken
    this.#headerFill = 0
    this.#payload = undefined
    this.#emit(this.#header, 0, payload)
    return at + taken
  }
}
