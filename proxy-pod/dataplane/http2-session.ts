import { type ClientHttp2Session, connect } from 'node:http2'
import type { Duplex } from 'node:stream'
import { InterceptError, messageOf } from '../../src/errors.ts'
import type { Dial } from './http2-dial.ts'
import { http2Limits, http2Options, http2Settings } from './http2-limits.ts'

/**
 * connecting: nothing was sent but the preface. ready: the peer has shown that it speaks HTTP/2. draining: it takes no
 * new requests (its GOAWAY, or our close), those under way go on. over: the connection is gone.
 */
type Phase = 'connecting' | 'ready' | 'draining' | 'over'

/**
 * One HTTP/2 connection to an upstream. Requests are given to it only once the peer's SETTINGS have come: until then
 * it has seen nothing of them, so an upstream that is not there, or speaks HTTP/1.1, loses nothing.
 */
export class UpstreamSession {
  /** Resolves when it is ready; rejects with an InterceptError that says why it never will be. */
  readonly ready: Promise<ClientHttp2Session>
  readonly #abort = new AbortController()
  readonly #onOver: (session: UpstreamSession) => void
  #phase: Phase = 'connecting'
  #session: ClientHttp2Session | undefined
  #failure: Error | undefined
  /** The last of our streams that the peer will process, once it said so. */
  #lastStream: number | undefined

  constructor(dial: Dial, onOver: (session: UpstreamSession) => void) {
    this.#onOver = onOver
    this.ready = this.#open(dial)
    // Everybody who waits for it is told; that nobody waits is no fault.
    this.ready.catch(() => this.#over())
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Whether the peer is there and has not said that it takes no more. */
  get takesRequests(): boolean {
    return this.#phase === 'ready' && this.#session?.closed === false
  }

  /** Whether a request may be given to it, now or when it is ready. */
  get hasRoom(): boolean {
    if (this.#phase === 'connecting') return true
    if (!this.takesRequests) return false
    const { maxConcurrentStreams } = this.#session?.remoteSettings ?? {}
    return this.streams < (maxConcurrentStreams ?? Number.POSITIVE_INFINITY)
  }

  /** Requests under way, and all that there were; counted by their owner. */
  streams = 0
  requests = 0

  /** Whether the peer said that it has not processed this stream. */
  isUnprocessed(streamId: number | undefined): boolean {
    return streamId === undefined || (this.#lastStream !== undefined && streamId > this.#lastStream)
  }

  /** The connection broke, or ended, under its requests. */
  get isLost(): boolean {
    return this.#phase === 'over' || this.#session?.destroyed === true
  }

  /** No new requests; closes when those under way are over. */
  release(): void {
    if (this.#phase === 'connecting') this.reset('the Intercept has ended')
    else if (this.#phase === 'ready') {
      this.#phase = 'draining'
      this.#session?.close()
    }
  }

  reset(reason: string): void {
    this.#failure ??= new InterceptError('upstream-given-up', reason)
    this.#abort.abort()
    this.#session?.destroy()
    this.#over()
  }

  #over(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#onOver(this)
  }

  async #open(dial: Dial): Promise<ClientHttp2Session> {
    const duplex = await dial(this.#abort.signal)
    // Before the session's own listeners: who asks why a stream was closed must find us over.
    duplex.once('error', (error) => {
      this.#failure ??= error
      this.#lost()
    })
    duplex.once('close', () => this.#lost())
    return new Promise((resolve, reject) => {
      const session = this.#speak(duplex)
      session.once('remoteSettings', () => {
        if (this.#phase === 'connecting') this.#phase = 'ready'
        resolve(session)
      })
      session.once('error', (error) => {
        this.#failure ??= error
      })
      session.once('close', () => {
        this.#over()
        reject(whyOver(this.#failure))
      })
    })
  }

  #lost(): void {
    if (this.#phase !== 'connecting') this.#over()
  }

  #speak(duplex: Duplex): ClientHttp2Session {
    const session = connect('http://upstream', {
      ...http2Options,
      settings: http2Settings,
      createConnection: () => duplex,
    })
    this.#session = session
    session.once('remoteSettings', () => session.setLocalWindowSize(http2Limits.connectionWindowBytes))
    session.on('goaway', (_code, lastStream) => {
      this.#lastStream = lastStream
      if (this.#phase === 'ready') this.#phase = 'draining'
    })
    // A peer that went away for good has nothing to say to streams that wait for it.
    duplex.once('end', () => setImmediate(() => session.destroy()))
    return session
  }
}

/** 'not-http2' is what the same peer would say again. */
function whyOver(failure: Error | undefined): InterceptError {
  if (failure instanceof InterceptError) return failure
  const isProtocol = failure === undefined || ('code' in failure && String(failure.code).startsWith('ERR_HTTP2'))
  if (!isProtocol) return new InterceptError('upstream-lost', messageOf(failure), { cause: failure })
  const reason = 'what answered does not speak HTTP/2 with prior knowledge (HTTP/1.1 only?)'
  return new InterceptError('not-http2', reason, { cause: failure })
}
