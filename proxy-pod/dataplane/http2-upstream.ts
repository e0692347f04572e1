import type { ClientHttp2Session } from 'node:http2'
import { codeOf, InterceptError, messageOf } from '../../src/errors.ts'
import type { Tunnel } from '../../src/tunnel/types.ts'
import type { Dial } from './http2-dial.ts'
import { UpstreamSession } from './http2-session.ts'

/** What does not speak HTTP/2 is left alone for so long, milliseconds: each request would dial it anew. */
const retryMs = 1_000

/** A session with room for one more request, which the caller takes and gives back. */
export interface Lease {
  readonly session: ClientHttp2Session
  readonly upstream: UpstreamSession
  /** An earlier request used the session: the peer may just be closing it. */
  readonly isReused: boolean
  /** The request is over. */
  end(): void
}

/**
 * One place that requests of one client connection go to: a laptop, a workload or the origin. It has one session,
 * and another only where the peer has said that it takes no more requests on the first.
 */
export class Http2Upstream {
  readonly kind: 'laptop' | 'origin'
  /** Undefined unless it is a laptop. */
  readonly tunnel: Tunnel | undefined
  readonly #dial: Dial
  readonly #onDial: () => void
  readonly #sessions = new Set<UpstreamSession>()
  /** Its last session is over. */
  onEmpty: () => void = () => undefined
  #refusedAt = Number.NEGATIVE_INFINITY
  #refusal = ''
  #isReleased = false

  constructor(dial: Dial, tunnel: Tunnel | undefined, onDial: () => void) {
    this.#dial = dial
    this.#onDial = onDial
    this.tunnel = tunnel
    this.kind = tunnel ? 'laptop' : 'origin'
  }

  /** Whether a request would have to dial. */
  get mustDial(): boolean {
    return this.#withRoom === undefined
  }

  get isEmpty(): boolean {
    return this.#sessions.size === 0
  }

  /** Why it refused, for as long as it is not worth asking again. */
  get refusal(): string | undefined {
    return performance.now() - this.#refusedAt < retryMs ? this.#refusal : undefined
  }

  /**
   * Rejects where the upstream is not there; nothing was sent to it then.
   * @param patienceMs for so long, the end of an attempt that others began before is not the end of this one
   */
  async lease(patienceMs = 0): Promise<Lease> {
    const until = performance.now() + patienceMs
    for (;;) {
      const found = this.#withRoom
      const upstream = found ?? this.#start()
      let session: ClientHttp2Session
      try {
        session = await (patienceMs > 0 ? before(until, upstream.ready) : upstream.ready)
      } catch (error) {
        if (found && !this.#isReleased && performance.now() < until) continue
        this.#refused(error)
        throw error
      }
      this.#refusedAt = Number.NEGATIVE_INFINITY
      // Taken at once: of those who wait for one session, only as many as it has room for may go on with it.
      if (upstream.hasRoom) return taken(session, upstream)
      if (!found && upstream.streams === 0) throw new InterceptError('no-requests', 'what answered takes no requests')
    }
  }

  /** What only waits for an accept need not wait: nothing of any request was sent. */
  giveUpConnecting(reason: string): void {
    for (const session of this.#sessions) if (session.phase === 'connecting') session.reset(reason)
  }

  /** No new requests will come: each session closes after its last. */
  release(): void {
    this.#isReleased = true
    for (const session of this.#sessions) session.release()
  }

  reset(reason: string): void {
    this.#isReleased = true
    for (const session of this.#sessions) session.reset(reason)
  }

  get #withRoom(): UpstreamSession | undefined {
    for (const session of this.#sessions) if (session.hasRoom) return session
    return undefined
  }

  #refused(error: unknown): void {
    if (codeOf(error) !== 'not-http2') return
    this.#refusedAt = performance.now()
    this.#refusal = messageOf(error)
  }

  #start(): UpstreamSession {
    this.#onDial()
    const session = new UpstreamSession(this.#dial, (over) => {
      this.#sessions.delete(over)
      if (this.isEmpty) this.onEmpty()
    })
    this.#sessions.add(session)
    return session
  }
}

function taken(session: ClientHttp2Session, upstream: UpstreamSession): Lease {
  const isReused = upstream.requests > 0
  upstream.streams += 1
  upstream.requests += 1
  const end = () => {
    upstream.streams -= 1
  }
  return { session, upstream, isReused, end }
}

/** Rejects where it takes longer. @param until as performance.now() tells it */
function before<T>(until: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new InterceptError('not-accepted', 'the laptop did not accept in time')),
      Math.max(0, until - performance.now()),
    )
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
