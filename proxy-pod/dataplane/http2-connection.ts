import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { forwardingPairs } from '../../src/http/forwarding-fields.ts'
import type { RequestHead } from '../../src/match/request.ts'
import { resetSocket } from '../../src/reset-socket.ts'
import { type Connection, type ConnectionOwner, clientOf, repeatAfterMs } from './connection.ts'
import { type Destination, Http2Exchange, type Refused } from './http2-exchange.ts'
import type { ReceivedHeaders } from './http2-headers.ts'
import { http2Limits, http2Options, http2Settings } from './http2-limits.ts'
import { Http2Mirror } from './http2-mirror.ts'
import { Http2Upstreams } from './http2-upstreams.ts'
import { type Claim, claimOf, mirrorsOf, type Route } from './route.ts'
import type { TrafficCounter } from './traffic.ts'

/** The highest id of a stream: "all that you may have begun". */
const anyStream = 2 ** 31 - 1

/** Who is held waits as long as if nobody had waited before. */
const patienceOf = ({ onLocalDown, acceptTimeoutMs }: Claim): number => (onLocalDown === 'hold' ? acceptTimeoutMs : 0)

/**
 * A client's HTTP/2 connection (prior knowledge), followed request by request: each goes to the laptop, the workload
 * or the origin that the claims of that moment say. What breaks the protocol, nghttp2 answers; it reaches no upstream.
 */
export class Http2Connection implements Connection {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #client: { readonly address: string; readonly text: string }
  readonly #session: ServerHttp2Session
  readonly #upstreams: Http2Upstreams
  readonly #exchanges = new Set<Http2Exchange>()
  #route: Route
  #repeatTimer: NodeJS.Timeout | undefined
  #isDraining = false
  #isClosed = false

  /** Takes the socket over: paused. @param bytes that were read of it already */
  constructor(socket: Socket, bytes: Buffer, route: Route, owner: ConnectionOwner) {
    this.#socket = socket
    this.#owner = owner
    this.#route = route
    this.#client = { address: socket.remoteAddress ?? '', text: clientOf(socket) }
    this.#upstreams = new Http2Upstreams(this.#client, owner.traffic)
    if (bytes.length > 0) socket.unshift(bytes)
    const session = performServerHandshake(socket, {
      ...http2Options,
      settings: { ...http2Settings, maxConcurrentStreams: http2Limits.concurrentStreams, enableConnectProtocol: true },
    })
    this.#session = session
    session.setLocalWindowSize(http2Limits.connectionWindowBytes)
    session.on('stream', (stream: ServerHttp2Stream, headers: ReceivedHeaders, flags: number, raw: readonly string[]) =>
      this.#begin(stream, headers, flags, raw),
    )
    session.on('error', (error) => owner.traffic.clientError(error))
    session.once('close', () => this.#closed())
    // It can no longer say that it read anything; what it asked cannot be answered in full.
    socket.once('end', () => session.destroy())
  }

  get traffic(): TrafficCounter {
    return this.#owner.traffic
  }

  reroute(route: Route): void {
    this.#route = route
    this.#upstreams.releaseUnclaimed(route)
    if (this.#lost().length > 0) this.#repeatTimer ??= setTimeout(() => this.#repeatLost(), repeatAfterMs)
    else {
      clearTimeout(this.#repeatTimer)
      this.#repeatTimer = undefined
    }
  }

  dropReleased(): void {
    for (const exchange of [...this.#exchanges]) {
      const tunnel = exchange.destination?.upstream.tunnel
      const claim = exchange.destination?.claim
      const isHeld = this.#route.claims.some((one) => one.intercept === claim?.intercept && one.tunnel() === tunnel)
      if (tunnel && !isHeld) exchange.dropReleased()
    }
  }

  /** No new requests of this client: it is told to connect anew. Those under way go on, as do those it sent till then. */
  drain(): void {
    if (this.#isDraining || this.#session.closed) return
    this.#isDraining = true
    this.#session.goaway(constants.NGHTTP2_NO_ERROR, anyStream)
    // nghttp2 sends a PING before a GOAWAY that waits. So the first one's answer says only that both have left; the
    // second one's comes behind all that the client sent before it knew.
    this.#ping(() => this.#ping(() => this.#session.close()))
  }

  reset(): void {
    this.#session.destroy()
    this.#upstreams.reset()
    resetSocket(this.#socket)
  }

  // ---- of the exchanges

  destination(exchange: Http2Exchange, refused: Refused | undefined): Destination | string {
    if (!refused) return this.#first(exchange)
    const { claim } = refused.destination
    if (!claim) return refused.reason
    return this.#localDown(claim, refused.reason)
  }

  added({ authority }: RequestHead): string[] {
    const { forwarding } = this.#owner
    if (!forwarding) return []
    const proto = this.#route.tls ? 'https' : 'http'
    const received = { client: this.#client.address, authority, proto, version: '2.0' } as const
    return forwardingPairs(forwarding, received).map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text))
  }

  over(exchange: Http2Exchange): void {
    this.#exchanges.delete(exchange)
  }

  #ping(onAnswer: () => void): void {
    this.#session.ping(() => {
      if (!this.#session.destroyed) onAnswer()
    })
  }

  #begin(stream: ServerHttp2Stream, headers: ReceivedHeaders, flags: number, raw: readonly string[]): void {
    const exchange = new Http2Exchange(stream, headers, flags, raw, this)
    this.#exchanges.add(exchange)
    for (const mirror of this.#mirrorsOf(exchange)) {
      const place = this.#owner.copies.take(mirror.intercept)
      if (!place) continue
      const upstream = this.#upstreams.toClaim(this.#route, mirror)
      if (typeof upstream === 'string') place.giveBack()
      else new Http2Mirror(exchange, upstream, place)
    }
    void exchange.start()
  }

  /** What becomes of a tunnel no copy can follow. */
  #mirrorsOf({ head }: Http2Exchange): Claim[] {
    return head.method === 'CONNECT' ? [] : mirrorsOf(this.#route, head, this.#client.address)
  }

  #first(exchange: Http2Exchange): Destination | string {
    const claim = claimOf(this.#route, exchange.head, this.#client.address)
    if (!claim) return this.#toOrigin()
    const upstream = this.#upstreams.toClaim(this.#route, claim)
    return typeof upstream === 'string'
      ? this.#localDown(claim, upstream)
      : { claim, upstream, patienceMs: patienceOf(claim) }
  }

  #localDown(claim: Claim, reason: string): Destination | string {
    if (claim.onLocalDown === 'fail') {
      return `${claim.intercept} intercepts this request, and it fails as that Intercept asks: ${reason}`
    }
    this.traffic.failedOpen(reason)
    return this.#toOrigin()
  }

  #toOrigin(): Destination {
    return { claim: undefined, upstream: this.#upstreams.toOrigin(this.#route), patienceMs: 0 }
  }

  #lost(): Http2Exchange[] {
    return [...this.#exchanges].filter(({ destination }) => {
      const tunnel = destination?.upstream.tunnel
      return tunnel !== undefined && tunnel.state !== 'up' && destination?.claim?.onLocalDown !== 'fail'
    })
  }

  #repeatLost(): void {
    this.#repeatTimer = undefined
    for (const exchange of this.#lost()) exchange.repeatIfSafe('the laptop was lost before it answered')
  }

  #closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#repeatTimer)
    this.#upstreams.reset()
    this.#owner.closed(this)
  }
}
