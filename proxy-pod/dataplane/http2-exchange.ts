import { type ClientHttp2Stream, constants, type ServerHttp2Stream } from 'node:http2'
import { codeOf, messageOf } from '../../src/errors.ts'
import type { RequestHead } from '../../src/match/request.ts'
import { Http2Answer } from './http2-answer.ts'
import { noDate, passOn, type ReceivedHeaders, requestHeadOf } from './http2-headers.ts'
import { answerUnavailable, stopReading } from './http2-refusal.ts'
import { Http2RequestBody } from './http2-request-body.ts'
import type { Http2Upstream, Lease } from './http2-upstream.ts'
import type { Claim } from './route.ts'
import type { TrafficCounter } from './traffic.ts'

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_REFUSED_STREAM } =
  constants

/** Methods whose request may be asked again although an upstream may have seen it. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Where a request is to go. `claim`: whose it is; undefined: nobody's. */
export interface Destination {
  readonly claim: Claim | undefined
  readonly upstream: Http2Upstream
  /** How long it waits although others, who began to wait before, were refused. Milliseconds. */
  readonly patienceMs: number
}

/** Decides where an exchange goes; is asked again when a destination has failed. */
export interface ExchangeHost {
  readonly traffic: TrafficCounter
  /** Name, value, name, value … of fields that the request gets on its way. */
  added(head: RequestHead): readonly string[]
  /** Or the reason that the request is to be answered with instead. */
  destination(exchange: Http2Exchange, refused: Refused | undefined): Destination | string
  over(exchange: Http2Exchange): void
}

export interface Refused {
  readonly destination: Destination
  readonly reason: string
}

/** One request of a client and its answer: who is asked, who is asked next, and how it ends. */
export class Http2Exchange {
  readonly head: RequestHead
  readonly body: Http2RequestBody
  readonly #client: ServerHttp2Stream
  readonly #received: ReceivedHeaders
  readonly #raw: readonly string[]
  readonly #hasBody: boolean
  readonly #host: ExchangeHost
  #destination: Destination | undefined
  /** What was asked and has not answered in full. */
  #asked: { readonly stream: ClientHttp2Stream; readonly answer: Http2Answer } | undefined
  #isAskedAnew = false
  #answered = false
  #over = false

  constructor(
    client: ServerHttp2Stream,
    received: ReceivedHeaders,
    flags: number,
    raw: readonly string[],
    host: ExchangeHost,
  ) {
    this.#client = client
    this.#received = received
    this.#host = host
    this.#hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0
    this.head = requestHeadOf(raw)
    this.#raw = [...raw, ...host.added(this.head)]
    this.body = new Http2RequestBody(client, !this.#hasBody, (bytes) =>
      host.traffic.fromClient(bytes, this.#destination?.upstream.kind === 'laptop'),
    )
    client.once('close', () => this.#clientClosed())
    // 'close' follows, with the code.
    client.on('error', (error) => host.traffic.clientError(error))
  }

  /** Where it went, or waits to go. */
  get destination(): Destination | undefined {
    return this.#destination
  }

  get isOver(): boolean {
    return this.#over
  }

  /** Raw header fields and the client's stream, for a copy. */
  get source(): { client: ServerHttp2Stream; raw: readonly string[]; received: ReceivedHeaders; hasBody: boolean } {
    return { client: this.#client, raw: this.#raw, received: this.#received, hasBody: this.#hasBody }
  }

  /** Asks one destination after the other, until one takes it. Never rejects. */
  async start(refused?: Refused): Promise<void> {
    let last = refused
    for (;;) {
      const destination = this.#host.destination(this, last)
      if (typeof destination === 'string') return this.#unavailable(destination)
      this.#destination = destination
      try {
        // In the same turn as the decision: who may try a doubtful tunnel does.
        const lease = await destination.upstream.lease(destination.patienceMs)
        if (this.#over) return lease.end()
        return this.#ask(lease)
      } catch (error) {
        if (this.#over) return
        last = { destination, reason: messageOf(error) }
      }
    }
  }

  /** The laptop is gone for longer than a request should wait: one that may be asked again, is. */
  repeatIfSafe(reason: string): void {
    if (this.#answered || this.#over || !this.#asked || !this.#isSafe) return
    this.#drop(NGHTTP2_CANCEL)
    this.#repeat(reason)
  }

  /** Its Intercept has ended and it was given time enough. */
  dropReleased(): void {
    if (!this.#asked) return
    this.#drop(NGHTTP2_CANCEL)
    this.#lost('the Intercept has ended')
  }

  get #isSafe(): boolean {
    return !this.#hasBody && safeMethods.has(this.head.method)
  }

  #ask(lease: Lease): void {
    if (this.#received[':protocol'] !== undefined && !lease.session.remoteSettings.enableConnectProtocol) {
      lease.end()
      this.#client.respond({ ':status': 501 }, { ...noDate, endStream: true })
      stopReading(this.#client)
      return
    }
    let stream: ClientHttp2Stream
    try {
      stream = lease.session.request(passOn(this.#raw, this.#received), {
        endStream: !this.#hasBody,
        waitForTrailers: this.#hasBody,
      })
    } catch (error) {
      lease.end()
      // The peer's GOAWAY came in this very turn.
      if (lease.upstream.isLost || lease.session.closed) this.#refused(messageOf(error), true)
      else {
        // Node does not send what nghttp2 let in, such as http2-settings.
        this.#host.traffic.clientError(error as Error)
        this.#client.close(NGHTTP2_PROTOCOL_ERROR)
      }
      return
    }
    const isLaptop = this.#destination?.upstream.kind === 'laptop'
    const answer = new Http2Answer(stream, this.#client, {
      onBegin: () => {
        this.#answered = true
        this.body.forget()
      },
      onBytes: (bytes) => this.#host.traffic.toClient(bytes, isLaptop),
      onError: (error) => {
        if (codeOf(error)?.startsWith('ERR_HTTP2') !== true) this.#host.traffic.clientError(error)
      },
      onClose: () => {
        lease.end()
        if (this.#asked?.stream !== stream) return
        this.#asked = undefined
        this.body.stop()
        if (!this.#over) this.#closed(stream, lease, answer.isWhole)
      },
    })
    this.#asked = { stream, answer }
    if (this.#hasBody) this.body.sendTo(stream)
  }

  /** The upstream is through with it. */
  #closed(stream: ClientHttp2Stream, lease: Lease, isWhole: boolean): void {
    const code = stream.rstCode ?? NGHTTP2_NO_ERROR
    if (isWhole) {
      if (code !== NGHTTP2_NO_ERROR) this.#afterAnswer(() => this.#client.close(code))
      else stopReading(this.#client)
      return
    }
    const { isLost } = lease.upstream
    const unprocessed = code === NGHTTP2_REFUSED_STREAM || lease.upstream.isUnprocessed(stream.id)
    if (this.#answered) {
      if (isLost) this.#lost('the upstream was lost')
      // Without an error code the end of the body would look complete.
      else this.#client.close(code === NGHTTP2_NO_ERROR ? NGHTTP2_INTERNAL_ERROR : code)
    } else if (unprocessed) this.#refused('it was refused unprocessed', !lease.upstream.takesRequests)
    else if (isLost && this.#isSafe) this.#lostWhileSafe(lease)
    else if (isLost) this.#lost('the upstream was lost before it answered')
    else this.#client.close(code === NGHTTP2_NO_ERROR ? NGHTTP2_INTERNAL_ERROR : code)
  }

  /** Nothing of it was processed. @param hasLeft the connection takes no more requests, but another may */
  #refused(reason: string, hasLeft: boolean): void {
    if (!this.body.isKept) this.#client.close(NGHTTP2_REFUSED_STREAM)
    else if (hasLeft && !this.#isAskedAnew) this.#askAnew()
    else if (this.#destination?.claim) this.#repeat(reason)
    else this.#client.close(NGHTTP2_REFUSED_STREAM)
  }

  /** A connection that was used before may just have been closed for that; a local process may be starting anew. */
  #lostWhileSafe(lease: Lease): void {
    const onLocalDown = this.#destination?.claim?.onLocalDown
    if ((lease.isReused || onLocalDown === 'hold') && !this.#isAskedAnew) this.#askAnew()
    else if (onLocalDown !== undefined && onLocalDown !== 'fail') this.#repeat('the connection was lost')
    else this.#lost('the upstream was lost before it answered')
  }

  #afterAnswer(then: () => void): void {
    if (this.#client.writableFinished || this.#client.destroyed) then()
    else this.#client.once('finish', then)
  }

  /** As if it had just come. Once: what is lost again is not asked a third time. */
  #askAnew(): void {
    this.#isAskedAnew = true
    void this.start()
  }

  /** Where it goes when its destination does not answer. */
  #repeat(reason: string): void {
    void this.start({ destination: this.#destination as Destination, reason })
  }

  #lost(reason: string): void {
    if (this.#answered) this.#client.close(NGHTTP2_INTERNAL_ERROR)
    else this.#unavailable(reason)
  }

  #unavailable(reason: string): void {
    this.#host.traffic.refused(reason)
    const contentType = this.#received['content-type']
    answerUnavailable(this.#client, {
      contentType: typeof contentType === 'string' ? contentType : '',
      isHead: this.head.method === 'HEAD',
      reason,
    })
  }

  /** Lets go of the upstream's stream. */
  #drop(code: number): void {
    const asked = this.#asked
    this.#asked = undefined
    this.body.stop()
    asked?.answer.letGo()
    asked?.stream.close(code)
  }

  #clientClosed(): void {
    if (this.#over) return
    this.#over = true
    const code = this.#client.rstCode ?? NGHTTP2_NO_ERROR
    const complete = this.body.isWhole && this.#client.writableFinished && code === NGHTTP2_NO_ERROR
    // A request whose answer was complete early needs no more of its body.
    if (!complete) this.#drop(code === NGHTTP2_NO_ERROR ? NGHTTP2_CANCEL : code)
    this.#host.over(this)
  }
}
