import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { codeOf } from '../../src/errors.ts'
import { duplexOf } from '../../src/tunnel/duplex-of.ts'
import { TunnelError } from '../../src/tunnel/error.ts'
import type { StreamHandlers, TunnelStream } from '../../src/tunnel/types.ts'
import { startTls, type UpstreamTls } from './tls-upstream.ts'

/** Bytes that came out of TLS and were not consumed; then reading pauses. */
const maxUnconsumed = 64 * 1024

/**
 * A stream to a local process that speaks TLS, seen as the stream of what is inside. It is accepted once both sides have
 * agreed; until then nothing of what was written has left, so a process that speaks no TLS has refused it.
 */
export class TlsStream implements Pick<TunnelStream, 'handle' | 'write' | 'end' | 'reset' | 'consumed'> {
  readonly #duplex: Duplex
  readonly #socket: TLSSocket
  #unconsumed = 0
  #isSecure = false
  #isOver = false

  /** @param stream one that we opened, without handlers */
  constructor(stream: TunnelStream, tls: UpstreamTls) {
    this.#duplex = duplexOf(stream)
    this.#socket = startTls(this.#duplex, tls)
  }

  handle(handlers: StreamHandlers): void {
    const socket = this.#socket
    let failure: Error | undefined
    socket.once('secureConnect', () => {
      this.#isSecure = true
      handlers.onAccept?.()
    })
    socket.on('data', (chunk: Buffer) => {
      this.#unconsumed += chunk.length
      if (this.#unconsumed >= maxUnconsumed) socket.pause()
      if (!this.#isOver) handlers.onData(chunk)
      else this.consumed(chunk.length)
    })
    socket.on('end', () => this.#isOver || handlers.onEnd())
    socket.on('drain', () => this.#isOver || handlers.onDrain())
    socket.on('error', (error) => {
      failure = error
    })
    socket.once('close', (hadError) => {
      if (this.#isOver) return
      this.#isOver = true
      const code = failure instanceof TunnelError ? failure.code : (codeOf(failure) ?? 'closed')
      if (!this.#isSecure) {
        const refused = failure instanceof TunnelError
        const why = `the local process does not speak TLS: ${failure?.message ?? 'it closed the connection'}`
        handlers.onRefuse?.(code, refused ? (failure?.message ?? code) : why)
      } else if (hadError) handlers.onReset(code)
    })
  }

  write(chunk: Buffer): boolean {
    return this.#isOver || this.#socket.write(chunk)
  }

  end(): void {
    this.#socket.end()
  }

  reset(code = 'reset'): void {
    this.#isOver = true
    this.#duplex.destroy(new TunnelError(code, `given up: ${code}`))
    this.#socket.destroy()
  }

  consumed(bytes: number): void {
    this.#unconsumed -= bytes
    if (this.#unconsumed < maxUnconsumed) this.#socket.resume()
  }
}
