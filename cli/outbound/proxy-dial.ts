import type { Socket } from 'node:net'
import { codeOf, InterceptError, messageOf } from '../../src/errors.ts'
import { pipeSocket, type TunnelStream } from '../../src/tunnel/index.ts'
import { connectionWaitMs } from './wait-for-tunnel.ts'

export interface ProxyHost {
  readonly host: string
  readonly port: number
}

export interface ProxyParts {
  /** Opens a stream to there. @throws TunnelError 'tunnel-down' */
  dial(to: ProxyHost): TunnelStream
  /** Resolves when `dial` will not throw for want of a tunnel; rejects when `signal` aborts. */
  up(signal: AbortSignal): Promise<void>
  /** A connection that did not come about, for the person. */
  onFailure(to: ProxyHost, code: string, reason: string): void
}

/** Opens the streams of the connections that clients ask for; says when one does not come about. */
export class ProxyDial {
  readonly #parts: ProxyParts
  readonly #over: AbortSignal
  #open = 0

  /** @param over aborts what still waits */
  constructor(parts: ProxyParts, over: AbortSignal) {
    this.#parts = parts
    this.#over = over
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#open
  }

  /** A stream to there; waits for a tunnel. @throws InterceptError 'tunnel-down' */
  async stream(to: ProxyHost): Promise<TunnelStream> {
    const late = AbortSignal.timeout(connectionWaitMs)
    try {
      await this.#parts.up(AbortSignal.any([this.#over, late]))
    } catch (cause) {
      throw new InterceptError(
        'tunnel-down',
        late.aborted ? `no tunnel to the cluster in ${connectionWaitMs / 1000} s` : 'this proxy was ended',
        { cause },
      )
    }
    return this.#parts.dial(to)
  }

  /** Tells the person of one that did not come about. */
  failed(to: ProxyHost, error: unknown): { code: string; message: string } {
    const code = codeOf(error) ?? 'unreachable'
    const message = messageOf(error)
    if (!this.#over.aborted) this.#parts.onFailure(to, code, message)
    return { code, message }
  }

  opened(): () => void {
    this.#open += 1
    return () => {
      this.#open -= 1
    }
  }

  /**
   * Joins a client's socket with a connection to there. Owns the socket, but where `refused` is called: then it is the
   * caller's again, paused. @param head what was read from it for the connection
   */
  async join(
    socket: Socket,
    to: ProxyHost,
    head: Buffer,
    on: { accepted?(): void; refused(code: string, message: string): void },
  ): Promise<void> {
    const ignore = (): void => undefined
    // Whatever it is, the pipe or the answer finds the socket destroyed.
    socket.on('error', ignore)
    const closed = this.opened()
    const refused = (error: unknown): void => {
      closed()
      const { code, message } = this.failed(to, error)
      if (!socket.destroyed) on.refused(code, message)
    }
    let stream: TunnelStream
    try {
      stream = await this.stream(to)
    } catch (error) {
      refused(error)
      return
    }
    pipeSocket(stream, socket, {
      ...(head.length > 0 ? { head } : {}),
      onAccept: () => on.accepted?.(),
      onRefuse: (code, message) => refused(new InterceptError(code, message)),
      onClose: closed,
    })
    socket.resume()
  }
}
