import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { readInto } from '../read-into.ts'
import { ProtocolError } from './error.ts'
import type { Carrier } from './types.ts'
import { webSocketHeaderBytes, writeWebSocketHeader } from './web-socket-frame.ts'
import { WebSocketReader } from './web-socket-reader.ts'

/**
 * The socket under a WebSocket, for messages to pass `ws` by in both directions: a small one costs one system call, a
 * big one no copy. `ws` keeps the handshake, pings, pongs and the close.
 */
export interface WebSocketDirect {
  readonly socket: Duplex
  readonly side: 'client' | 'server'
}

/** A message up to this is copied behind its header: cheaper than a system call with two pieces. */
const mergeBytes = 8 * 1_024
const opcodePing = 0x9
/** A peer that leaves so much unread gets no answers to its pings. */
const mostUnreadBytes = 1_024 * 1_024
const unset = () => undefined

/**
 * A carrier on an open WebSocket (binaryType 'nodebuffer', no extensions). With `direct`, the socket must be the
 * WebSocket's own. What arrives before `onMessage` is set waits in the socket.
 */
export function webSocketCarrier(ws: WebSocket, direct?: WebSocketDirect): Carrier {
  return new WebSocketCarrier(ws, direct)
}

class WebSocketCarrier implements Carrier {
  readonly #ws: WebSocket
  readonly #direct: WebSocketDirect | undefined
  readonly #masked: boolean
  #onMessage: ((message: Buffer) => void) | undefined
  #onClose: ((reason: string) => void) | undefined
  #closedBecause: string | undefined
  #error: Error | undefined
  onDrain: () => void = unset

  constructor(ws: WebSocket, direct: WebSocketDirect | undefined) {
    this.#ws = ws
    this.#direct = direct
    this.#masked = direct?.side === 'client'
    ws.pause()
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary))
    ws.on('error', (error) => {
      this.#error ??= error
    })
    ws.on('close', (code, reason) => this.#shut(code, reason.toString('utf8')))
    if (direct) this.#readDirectly(direct)
  }

  get onMessage(): (message: Buffer) => void {
    return this.#onMessage ?? unset
  }

  set onMessage(handler: (message: Buffer) => void) {
    const first = this.#onMessage === undefined
    this.#onMessage = handler
    if (first) this.#ws.resume()
  }

  get onClose(): (reason: string) => void {
    return this.#onClose ?? unset
  }

  set onClose(handler: (reason: string) => void) {
    const first = this.#onClose === undefined
    this.#onClose = handler
    if (first && this.#closedBecause !== undefined) queueMicrotask(() => this.onClose(this.#closedBecause ?? ''))
  }

  get bufferedBytes(): number {
    return this.#direct ? this.#direct.socket.writableLength : this.#ws.bufferedAmount
  }

  send(chunks: readonly Buffer[]): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    const [only] = chunks
    if (this.#direct) this.#write(this.#direct.socket, chunks)
    else
      this.#ws.send(chunks.length === 1 && only ? only : Buffer.concat(chunks), { binary: true }, () => this.onDrain())
  }

  close(code: number, reason: string): void {
    this.#ws.resume()
    this.#ws.close(
      code,
      Buffer.from(reason)
        .subarray(0, 120)
        .toString('utf8')
        .replace(/\uFFFD+$/, ''),
    )
  }

  /** The header shares a buffer with what is small behind it: all of a small message, or the start of a big one. */
  #write(socket: Duplex, chunks: readonly Buffer[]): void {
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.length
    const headerBytes = webSocketHeaderBytes(bytes, this.#masked)
    const small = bytes <= mergeBytes
    const first = chunks[0]?.length ?? 0
    const merged = small ? bytes : first <= mergeBytes ? first : 0
    const head = Buffer.allocUnsafe(headerBytes + merged)
    writeWebSocketHeader(head, bytes, this.#masked)
    let at = headerBytes
    let next = 0
    for (; at < head.length; next += 1) {
      const chunk = chunks[next] as Buffer
      head.set(chunk, at)
      at += chunk.length
    }
    if (next === chunks.length) {
      socket.write(head)
      return
    }
    socket.cork()
    socket.write(head)
    for (; next < chunks.length; next += 1) socket.write(chunks[next] as Buffer)
    socket.uncork()
  }

  /** Takes the place of `ws` as the socket's reader, and leaves control frames to it. */
  #readDirectly({ socket, side }: WebSocketDirect): void {
    const [readOfWs] = socket.listeners('data')
    if (!readOfWs) return
    const reader = new WebSocketReader(side === 'server', {
      onMessage: (message) => this.onMessage(message),
      onControl: (frame) => {
        const answered = ((frame[0] ?? 0) & 0x0f) === opcodePing
        if (!answered || socket.writableLength < mostUnreadBytes) readOfWs.call(socket, frame)
      },
    })
    socket.removeListener('data', readOfWs as (chunk: Buffer) => void)
    const reading = (read: () => void): void => {
      try {
        read()
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        this.#error ??= error
        readInto(socket, undefined)
        socket.off('data', readStream)
        this.#ws.terminate()
      }
    }
    const readStream = (chunk: Buffer): void => reading(() => reader.feed(chunk))
    socket.on('data', readStream)
    readInto(socket, { room: () => reader.room(), filled: (bytes) => reading(() => reader.filled(bytes)) })
    socket.on('drain', () => this.onDrain())
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (isBinary && Buffer.isBuffer(data)) this.onMessage(data)
    else this.close(1_003, 'only binary messages')
  }

  #shut(code: number, reason: string): void {
    const said = reason === '' ? '' : `: ${reason}`
    this.#closedBecause = this.#error?.message ?? `the WebSocket closed with ${code}${said}`
    this.#onClose?.(this.#closedBecause)
  }
}
