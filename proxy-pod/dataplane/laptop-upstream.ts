import type { StreamHeader, Tunnel, TunnelStream } from '../../src/tunnel/types.ts'
import { TlsStream } from './tls-stream.ts'
import type { UpstreamTls } from './tls-upstream.ts'
import type { TunnelHealth } from './tunnel-health.ts'
import type { Upstream, UpstreamEvents } from './upstream.ts'

/** A local process has so long to close a connection that is over, in milliseconds. */
const abandonMs = 5_000

/**
 * A stream to the local process behind a tunnel. onRefuse where the local process refuses or says nothing within
 * `acceptTimeoutMs`; a stream that timed out is reset before anything of it was accepted.
 */
export class LaptopUpstream implements Upstream {
  readonly kind = 'laptop'
  readonly tunnel: Tunnel
  readonly #stream: Pick<TunnelStream, 'handle' | 'write' | 'end' | 'reset' | 'consumed'>
  readonly #health: TunnelHealth
  readonly #acceptTimer: NodeJS.Timeout
  #accepted = false
  #over = false
  #unconsumed = 0

  /**
   * @param tls the local process speaks it; undefined: what the client says is passed on as it is
   * @throws TunnelError 'tunnel-down'
   */
  constructor(
    tunnel: Tunnel,
    header: StreamHeader,
    acceptTimeoutMs: number,
    health: TunnelHealth,
    events: UpstreamEvents,
    tls?: UpstreamTls,
  ) {
    this.tunnel = tunnel
    this.#health = health
    const stream = tunnel.open(header)
    this.#stream = tls ? new TlsStream(stream, tls) : stream
    this.#acceptTimer = setTimeout(() => {
      health.timedOut(tunnel)
      this.#giveUp(`the laptop did not accept in ${acceptTimeoutMs} ms`, events)
    }, acceptTimeoutMs)
    this.#stream.handle({
      onAccept: () => {
        clearTimeout(this.#acceptTimer)
        health.answered(tunnel)
        if (this.#over) return
        this.#accepted = true
        events.onAccept()
      },
      onRefuse: (_code, message) => {
        clearTimeout(this.#acceptTimer)
        health.answered(tunnel)
        if (this.#over) return
        this.#over = true
        events.onRefuse(message)
      },
      onData: (chunk) => {
        // Over: also where it was abandoned in that very call.
        if (this.#over || events.onData(chunk) || this.#over) this.#stream.consumed(chunk.length)
        else this.#unconsumed += chunk.length
      },
      onEnd: () => this.#over || events.onEnd(),
      onReset: (code) => {
        this.#stopWaiting()
        if (this.#over) return
        this.#over = true
        // Before the accept nobody has seen a byte of it.
        if (this.#accepted) events.onReset()
        else events.onRefuse(code)
      },
      onDrain: () => this.#over || events.onDrain(),
    })
  }

  get isAccepted(): boolean {
    return this.#accepted
  }

  /** Refuses on the laptop's behalf what it has not accepted yet. */
  giveUpWaiting(reason: string, events: UpstreamEvents): void {
    if (this.#accepted) return
    this.#stopWaiting()
    this.#giveUp(reason, events)
  }

  /** Nothing was learned about the link. */
  #stopWaiting(): void {
    if (this.#accepted || this.#over) return
    clearTimeout(this.#acceptTimer)
    this.#health.inconclusive(this.tunnel)
  }

  #giveUp(reason: string, events: UpstreamEvents): void {
    if (this.#over || this.#accepted) return
    this.#over = true
    this.#stream.reset('not-accepted-in-time')
    events.onRefuse(reason)
  }

  write(chunk: Buffer): boolean {
    return this.#stream.write(chunk)
  }

  end(): void {
    this.#stream.end()
  }

  reset(): void {
    this.#stopWaiting()
    this.#over = true
    this.#stream.reset('client-reset')
  }

  abandon(): void {
    this.#over = true
    this.consumed()
    this.#stream.end()
    setTimeout(() => this.#stream.reset('client-moved-on'), abandonMs).unref()
  }

  consumed(): void {
    this.#stream.consumed(this.#unconsumed)
    this.#unconsumed = 0
  }
}
