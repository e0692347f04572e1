import { Duplex } from 'node:stream'
import { ChunkQueue } from './chunk-queue.ts'
import { TunnelError } from './error.ts'
import type { StreamHandlers, TunnelStream } from './types.ts'

/**
 * A stream as a Node Duplex (half-open allowed), for libraries that want one. Sets the stream's handlers. Destroying
 * it resets the stream; a reset or refusal destroys it with a TunnelError of that code. Accepts what the peer opened.
 * @param onAnswer the peer accepted or refused what we opened
 */
export function duplexOf(stream: TunnelStream, onAnswer?: () => void): Duplex {
  return new StreamDuplex(stream, onAnswer)
}

class StreamDuplex extends Duplex implements StreamHandlers {
  readonly #stream: TunnelStream
  readonly #staged = new ChunkQueue()
  #wanted = false
  #ended = false
  #dead = false
  #onWritten: (() => void) | undefined
  readonly #onAnswer: (() => void) | undefined

  constructor(stream: TunnelStream, onAnswer: (() => void) | undefined) {
    super({ allowHalfOpen: true })
    this.#stream = stream
    this.#onAnswer = onAnswer
    stream.handle(this)
    stream.accept()
  }

  onAccept(): void {
    this.#onAnswer?.()
  }

  onData(chunk: Buffer): void {
    if (this.#wanted && this.#staged.bytes === 0) this.#give(chunk)
    else this.#staged.push(chunk)
  }

  onEnd(): void {
    this.#ended = true
    if (this.#staged.bytes === 0) this.push(null)
  }

  onReset(code: string): void {
    this.#dead = true
    this.destroy(new TunnelError(code, `the stream was reset: ${code}`))
  }

  onRefuse(code: string, message: string): void {
    this.#onAnswer?.()
    this.#dead = true
    this.destroy(new TunnelError(code, message))
  }

  onDrain(): void {
    const written = this.#onWritten
    this.#onWritten = undefined
    written?.()
  }

  override _read(): void {
    this.#wanted = true
    while (this.#wanted && this.#staged.bytes > 0) {
      this.#staged.take(readBytes, { bytes: (piece) => this.#give(piece) })
      if (this.#staged.bytes === 0 && this.#ended) this.push(null)
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    if (this.#stream.write(chunk)) callback()
    else this.#onWritten = callback
  }

  override _final(callback: () => void): void {
    this.#stream.end()
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const done = this.#ended && this.writableFinished && this.#staged.bytes === 0
    if (!this.#dead && !done) this.#stream.reset(error instanceof TunnelError ? error.code : 'destroyed')
    this.#staged.clear()
    callback(error)
  }

  #give(chunk: Buffer): void {
    this.#wanted = this.push(chunk)
    this.#stream.consumed(chunk.length)
  }
}

const readBytes = 64 * 1_024
