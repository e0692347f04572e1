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

/**
 * Frames of a WebSocket (RFC 6455, section 5.2) out of the bytes of its socket, for the one kind that we send: whole
 * binary messages without extensions. Holds at most one incomplete frame. `feed` throws ProtocolError 'bad-message'.
 */
export class WebSocketReader {
  readonly #events: WebSocketEvents
  /** The peer is a client: what it sends is masked. */
  readonly #masked: boolean
  /** Start of a frame that is not complete: its header, then room for all of it. */
  #partial: Buffer | undefined
  #filled = 0
  /** Of the frame that `#frameBytes` looked at last. */
  #headerBytes = 0

  constructor(masked: boolean, events: WebSocketEvents) {
    this.#masked = masked
    this.#events = events
  }

  feed(chunk: Buffer): void {
    let rest = this.#partial ? this.#complete(chunk) : chunk
    while (rest.length > 0) {
      const frameBytes = this.#frameBytes(rest)
      if (frameBytes === undefined || frameBytes > rest.length) {
        this.#keep(rest, frameBytes)
        return
      }
      this.#take(rest, frameBytes)
      if (frameBytes === rest.length) return
      rest = rest.subarray(frameBytes)
    }
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

  #keep(rest: Buffer, frameBytes: number | undefined): void {
    const partial = Buffer.allocUnsafeSlow(frameBytes ?? maxHeaderBytes)
    this.#filled = rest.copy(partial)
    this.#partial = partial
  }

  /** Feeds the incomplete frame; returns what is left of the chunk once it is complete. */
  #complete(chunk: Buffer): Buffer {
    let partial = this.#partial as Buffer
    let at = 0
    while (at < chunk.length) {
      const head = partial.subarray(0, this.#filled)
      const frameBytes = this.#frameBytes(head)
      if (frameBytes !== undefined && partial.length !== frameBytes) {
        partial = Buffer.allocUnsafeSlow(frameBytes)
        head.copy(partial)
        this.#partial = partial
      }
      const wanted = frameBytes === undefined ? 1 : frameBytes - this.#filled
      const copied = chunk.copy(partial, this.#filled, at, Math.min(at + wanted, chunk.length))
      this.#filled += copied
      at += copied
      if (this.#frameBytes(partial.subarray(0, this.#filled)) !== this.#filled) continue
      this.#partial = undefined
      this.#take(partial, this.#filled)
      return chunk.subarray(at)
    }
    return chunk.subarray(at)
  }
}

function unmask(message: Buffer, key: Buffer): void {
  for (let index = 0; index < message.length; index += 1) message[index] = (message[index] ?? 0) ^ (key[index & 3] ?? 0)
}
