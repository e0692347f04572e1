import { ProtocolError } from './error.ts'
import { maxMessageBytes } from './limits.ts'

export interface WebSocketEvents {
  /** One binary message: a view on what was fed, or a buffer of its own where it came in pieces. */
  onMessage(message: Buffer): void
  /** One whole control frame (close, ping, pong), header and all. */
  onControl(frame: Buffer): void
}

const opcodeBinary = 0x2
const controlBit = 0x8
const maxControlBytes = 125
const maxHeaderBytes = 14
const leastSlabBytes = 16 * 1_024
const leastRoomBytes = 4 * 1_024

/**
 * Frames of a WebSocket (RFC 6455, section 5.2) out of the bytes of its socket, for the one kind that we send: whole
 * binary messages without extensions. Holds at most one incomplete frame. `feed` throws ProtocolError 'bad-message'.
 */
export class WebSocketReader {
  readonly #events: WebSocketEvents
  /** The peer is a client: what it sends is masked. */
  readonly #masked: boolean
  /** Memory that is filled from `#end` on; from `#start` on lies a frame that is not complete. */
  #slab = Buffer.alloc(0)
  #start = 0
  #end = 0
  /** Of the frame that `#frameBytes` looked at last. */
  #headerBytes = 0
  /** Length of the last frame, and a guess at that of the next. */
  #lastBytes = 0

  constructor(masked: boolean, events: WebSocketEvents) {
    this.#masked = masked
    this.#events = events
  }

  /** Bytes in memory that is somebody else's. */
  feed(chunk: Buffer): void {
    let at = this.#start === this.#end ? this.#deliver(chunk, 0, chunk.length) : 0
    while (at < chunk.length) {
      const copied = chunk.copy(this.room(), 0, at)
      at += copied
      this.filled(copied)
    }
  }

  /** Where the next bytes may be put, with room for the rest of the frame that has begun. */
  room(): Buffer {
    const held = this.#end - this.#start
    const begun = held === 0 ? undefined : this.#frameBytes(this.#slab.subarray(this.#start, this.#end))
    const wanted = begun ?? (held === 0 ? Math.max(this.#lastBytes, leastRoomBytes) : maxHeaderBytes)
    if (this.#slab.length - this.#start < wanted) {
      const slab = Buffer.allocUnsafeSlow(Math.max(begun ?? this.#lastBytes, leastSlabBytes))
      this.#end = this.#slab.copy(slab, 0, this.#start, this.#end)
      this.#start = 0
      this.#slab = slab
    }
    return this.#slab.subarray(this.#end)
  }

  /** So many bytes are at the start of the last room. */
  filled(bytes: number): void {
    this.#end += bytes
    this.#start = this.#deliver(this.#slab, this.#start, this.#end)
  }

  /** Delivers the whole frames in these bytes; returns where an incomplete one starts. */
  #deliver(from: Buffer, start: number, end: number): number {
    let at = start
    while (at < end) {
      const rest = from.subarray(at, end)
      const frameBytes = this.#frameBytes(rest)
      if (frameBytes === undefined || frameBytes > rest.length) break
      at += frameBytes
      this.#lastBytes = frameBytes
      this.#take(rest, frameBytes)
    }
    return at
  }

  /** Length of the frame that starts here; undefined where not even its header is there. */
  #frameBytes(from: Buffer): number | undefined {
    if (from.length < 2) return undefined
    const first = from[0] ?? 0
    const second = from[1] ?? 0
    const control = (first & controlBit) !== 0
    const wrong = (first & 0xf0) !== 0x80 || (!control && (first & 0x0f) !== opcodeBinary)
    if (wrong || second >>> 7 !== (this.#masked ? 1 : 0)) {
      throw new ProtocolError('bad-message', 'the peer sent something else than whole binary messages')
    }
    const short = second & 0x7f
    let header = this.#masked ? 6 : 2
    let payload = short
    if (short >= 126) {
      header += short === 126 ? 2 : 8
      if (from.length < header) return undefined
      payload = short === 126 ? from.readUInt16BE(2) : from.readUInt32BE(2) * 2 ** 32 + from.readUInt32BE(6)
    }
    if (payload > (control ? maxControlBytes : maxMessageBytes)) {
      throw new ProtocolError('bad-message', `the peer sent a message with a payload of ${payload} bytes`)
    }
    this.#headerBytes = header
    return header + payload
  }

  #take(from: Buffer, frameBytes: number): void {
    if (((from[0] ?? 0) & controlBit) !== 0) {
      this.#events.onControl(from.subarray(0, frameBytes))
      return
    }
    const start = this.#headerBytes
    const message = from.subarray(start, frameBytes)
    if (this.#masked && from.readUInt32BE(start - 4) !== 0) unmask(message, from.subarray(start - 4, start))
    this.#events.onMessage(message)
  }
}

function unmask(message: Buffer, key: Buffer): void {
  for (let index = 0; index < message.length; index += 1) message[index] = (message[index] ?? 0) ^ (key[index & 3] ?? 0)
}
