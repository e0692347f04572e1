import { InterceptError } from '../../../src/errors.ts'
import type { StreamHandlers, TunnelStream } from '../../../src/tunnel/index.ts'

/**
 * A stream that we opened and that nobody reads yet: keeps what comes (at most the stream's window, for nothing is
 * given back) until it is handed over.
 */
export class HeldStream {
  readonly stream: TunnelStream
  /** Resolves when the peer accepts; rejects with an InterceptError of the code with which it does not. */
  readonly accepted: Promise<void>
  #kept: ((handlers: StreamHandlers) => void)[] = []

  constructor(stream: TunnelStream) {
    this.stream = stream
    this.accepted = new Promise((resolve, reject) => {
      const refused = (code: string, message: string): void => reject(new InterceptError(code, message))
      stream.handle({
        onAccept: () => resolve(),
        onRefuse: refused,
        onData: (chunk) => this.#kept.push((handlers) => handlers.onData(chunk)),
        onEnd: () => this.#kept.push((handlers) => handlers.onEnd()),
        onReset: (code) => {
          refused(code, `the connection was reset: ${code}`)
          this.#kept.push((handlers) => handlers.onReset(code))
        },
        onDrain: () => undefined,
      })
    })
  }

  /** For pipeSocket's `replay`: what came so far, to handlers that get all else themselves. */
  readonly replay = (handlers: StreamHandlers): void => {
    const kept = this.#kept
    this.#kept = []
    for (const event of kept) event(handlers)
  }
}
