import type { Socket } from 'node:net'
import { codeOf, messageOf } from '../errors.ts'
import { type ByteTaker, ReadRoom, readInto } from '../read-into.ts'
import { resetSocket } from '../reset-socket.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { tunnelLimits } from './limits.ts'
import type { StreamHandlers, TunnelStream } from './types.ts'

export interface PipeOutcome {
  /** done: both directions ended properly. reset: one side broke off. refused: the peer did not take the stream. */
  readonly how: 'done' | 'reset' | 'refused'
  readonly by: 'socket' | 'stream'
  /** 'ECONNRESET' or the stream's code; '' when done. */
  readonly code: string
  /** From the stream to the socket, and back. */
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface PipeOptions {
  /** Bytes that were read from the socket before. */
  readonly head?: Buffer
  /** From the stream to the socket ('in'), or back. */
  onBytes?(direction: 'in' | 'out', chunk: Buffer): void
  /** Hands over what the stream delivered to handlers that the caller had set before; called once, first. */
  replay?(handlers: StreamHandlers): void
  /** The peer accepted the stream that we opened. */
  onAccept?(): void
  /**
   * The peer refused the stream that we opened: the socket is handed back, paused, with everything that was read from
   * it. Without it the socket is destroyed. With it at most `keepBytes` are read before the stream is accepted.
   */
  onRefuse?(code: string, message: string, read: { readonly head: Buffer; readonly ended: boolean }): void
  /** Default 64 KiB. */
  readonly keepBytes?: number
  /** Both are done with; called once, not after onRefuse. */
  onClose?(outcome: PipeOutcome): void
}

const defaultKeepBytes = 64 * 1_024
const writeBytes = 256 * 1_024

/**
 * Joins a socket and a stream until both are done: bytes with back-pressure, half-close as half-close, reset as reset.
 * Sets the stream's handlers and owns both. A socket that is still connecting accepts the stream when it is connected
 * and refuses it when it cannot connect. Sets TCP_NODELAY and allows the socket to stay half open.
 */
export function pipeSocket(stream: TunnelStream, socket: Socket, options: PipeOptions = {}): void {
  new SocketPipe(stream, socket, options).start()
}

class SocketPipe implements StreamHandlers {
  readonly #stream: TunnelStream
  readonly #socket: Socket
  readonly #options: PipeOptions
  readonly #staged = new ChunkQueue()
  /** Bytes that the socket has and the kernel has not. */
  #writing = 0
  #streamEnded = false
  #socketEnded = false
  #over = false
  #kept: Buffer[] | undefined
  #keptBytes = 0
  #bytesIn = 0
  #bytesOut = 0

  constructor(stream: TunnelStream, socket: Socket, options: PipeOptions) {
    this.#stream = stream
    this.#socket = socket
    this.#options = options
    this.#kept = options.onRefuse ? [] : undefined
  }

  start(): void {
    const socket = this.#socket
    const stream = this.#stream
    socket.allowHalfOpen = true
    socket.setNoDelay(true)
    stream.handle(this)
    if (socket.destroyed) {
      this.#break('socket', 'socket-closed')
      return
    }
    if (socket.connecting) socket.once('connect', () => stream.accept())
    else stream.accept()
    this.#options.replay?.(this)
    if (this.#options.head) this.#read(this.#options.head)
    socket.on('data', this.#read)
    readInto(socket, this.#taker())
    socket.on('end', this.#readEnd)
    socket.on('error', this.#socketError)
    socket.on('close', this.#socketClosed)
    if (socket.readableEnded) this.#readEnd()
  }

  onAccept(): void {
    this.#kept = undefined
    this.#options.onAccept?.()
    this.#socket.resume()
  }

  onRefuse(code: string, message: string): void {
    if (this.#over) return
    const { onRefuse } = this.#options
    if (!onRefuse) {
      destroy(this.#socket)
      this.#finish({ how: 'refused', by: 'stream', code })
      return
    }
    this.#over = true
    const socket = this.#socket
    socket.pause()
    socket.off('data', this.#read)
    readInto(socket, undefined)
    socket.off('end', this.#readEnd)
    socket.off('error', this.#socketError)
    socket.off('close', this.#socketClosed)
    onRefuse(code, message, { head: Buffer.concat(this.#kept ?? []), ended: this.#socketEnded })
  }

  onData(chunk: Buffer): void {
    if (this.#over) return
    this.#bytesIn += chunk.length
    this.#options.onBytes?.('in', chunk)
    if (this.#writing > 0) this.#staged.push(chunk)
    else {
      this.#writing = chunk.length
      this.#socket.write(chunk, this.#written)
    }
  }

  onEnd(): void {
    this.#streamEnded = true
    if (this.#writing === 0) this.#socket.end()
  }

  onReset(code: string): void {
    if (this.#over) return
    destroy(this.#socket)
    this.#finish({ how: 'reset', by: 'stream', code })
  }

  onDrain(): void {
    this.#socket.resume()
  }

  readonly #read = (chunk: Buffer) => {
    this.#bytesOut += chunk.length
    this.#options.onBytes?.('out', chunk)
    if (this.#kept) {
      this.#kept.push(chunk)
      this.#keptBytes += chunk.length
      if (this.#keptBytes >= (this.#options.keepBytes ?? defaultKeepBytes)) this.#socket.pause()
    }
    if (!this.#stream.write(chunk)) this.#socket.pause()
  }

  /** What one read brings is what one frame carries. */
  #taker(): ByteTaker {
    const memory = new ReadRoom(tunnelLimits.aloneFrameBytes)
    return { room: () => memory.room(), filled: (bytes) => this.#read(memory.take(bytes)) }
  }

  readonly #readEnd = () => {
    if (this.#socketEnded) return
    this.#socketEnded = true
    this.#stream.end()
  }

  /** What was written is in the kernel: that is consumption. */
  readonly #written = (error?: Error | null) => {
    if (error || this.#over) return
    const consumed = this.#writing
    this.#writing = 0
    this.#stream.consumed(consumed)
    if (this.#staged.bytes > 0) this.#writeStaged()
    else if (this.#streamEnded) this.#socket.end()
  }

  #writeStaged(): void {
    const socket = this.#socket
    const pieces: Buffer[] = []
    const most = Math.min(this.#staged.bytes, writeBytes)
    this.#staged.take(most, { bytes: (piece) => pieces.push(piece) })
    this.#writing = most
    const last = pieces.length - 1
    socket.cork()
    pieces.forEach((piece, index) => {
      if (index === last) socket.write(piece, this.#written)
      else socket.write(piece)
    })
    socket.uncork()
  }

  readonly #socketError = (error: Error) => {
    const code = codeOf(error) ?? 'socket-error'
    this.#stream.refuse(code, messageOf(error))
    this.#break('socket', code)
  }

  readonly #socketClosed = () => {
    if (this.#over) return
    const done = this.#socketEnded && this.#streamEnded && this.#writing === 0 && this.#staged.bytes === 0
    if (done) this.#finish({ how: 'done', by: 'socket', code: '' })
    else this.#break('socket', 'socket-closed')
  }

  #break(by: 'socket' | 'stream', code: string): void {
    if (this.#over) return
    this.#stream.refuse(code, 'the connection broke')
    this.#stream.reset(code)
    this.#finish({ how: 'reset', by, code })
  }

  #finish(outcome: Pick<PipeOutcome, 'how' | 'by' | 'code'>): void {
    this.#over = true
    this.#staged.clear()
    this.#options.onClose?.({ ...outcome, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut })
  }
}

/** With a TCP reset where the socket can. */
function destroy(socket: Socket): void {
  const tcp = socket.remoteFamily !== undefined && !('encrypted' in socket)
  if (tcp) resetSocket(socket)
  else socket.destroy()
}
