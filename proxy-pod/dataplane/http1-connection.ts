import type { Socket } from 'node:net'
import { forwardingFields, withFields } from '../../src/http/forwarding-fields.ts'
import { HeadReader } from '../../src/http/head-reader.ts'
import { MessageError } from '../../src/http/message-error.ts'
import { parseRequest, type RequestMessage } from '../../src/http/request-message.ts'
import { textResponse } from '../../src/http/text-response.ts'
import { resetSocket } from '../../src/reset-socket.ts'
import { type Connection, type ConnectionOwner, clientOf, repeatAfterMs } from './connection.ts'
import { type ExchangeOwner, Http1Exchange } from './http1-exchange.ts'
import type { Http1Link } from './http1-link.ts'
import { type ClientName, Http1Links } from './http1-links.ts'
import { MirrorCopy } from './mirror-copy.ts'
import { type Claim, claimOf, mirrorsOf, type Route } from './route.ts'
import { listenTo } from './socket-listeners.ts'

/** Bytes of requests that were sent ahead (pipelined); reading pauses at more. */
const maxAheadBytes = 64 * 1024
/** After a last response the client may go on sending for so long before it is cut. Milliseconds. */
const lingerMs = 2_000
const empty = Buffer.alloc(0)

/**
 * A client's HTTP/1.1 connection, followed request by request: each goes to the laptop, the workload or the origin that
 * the claims of that moment say, byte for byte as it was sent. One request at a time; those sent ahead wait here.
 */
export class Http1Connection implements Connection, ExchangeOwner {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #client: ClientName
  readonly #links: Http1Links
  readonly #head = new HeadReader()
  #route: Route
  /** Read, and not part of an exchange yet. */
  #ahead: Buffer = empty
  #exchange: Http1Exchange | undefined
  #exchangeReads = true
  #isAdvancing = false
  #clientEnded = false
  /** Our last byte is written; what still comes is dropped. */
  #isClosing = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  /** Takes the socket over: paused, allowHalfOpen. @param bytes that were read of it already */
  constructor(socket: Socket, bytes: Buffer, route: Route, owner: ConnectionOwner) {
    this.#socket = socket
    this.#owner = owner
    this.#route = route
    this.#client = { address: socket.remoteAddress ?? '', text: clientOf(socket) }
    this.#links = new Http1Links(this.#client, owner.traffic)
    listenTo(socket, {
      data: (chunk) => this.#fromClient(chunk),
      end: () => this.#clientEnd(),
      drain: () => this.#links.consumed(),
      error: (error) => owner.traffic.clientError(error),
      close: (hadError) => this.#clientClosed(hadError),
    })
    if (bytes.length > 0) this.#fromClient(bytes)
    if (socket.readableEnded) this.#clientEnd()
    else this.#read()
  }

  /** Nothing of a request is here, nor under way. */
  get isIdle(): boolean {
    return !this.#exchange && this.#ahead.length === 0 && this.#head.isEmpty
  }

  reroute(route: Route): void {
    this.#route = route
    this.#links.dropUnclaimed(route)
    const link = this.#exchange?.link
    if (link?.tunnel && link.tunnel.state !== 'up') this.#laptopLost(link)
  }

  dropReleased(): void {
    const tunnel = this.#exchange?.link?.tunnel
    if (tunnel && !this.#route.claims.some((claim) => claim.tunnel() === tunnel)) this.reset()
  }

  reset(): void {
    this.#exchange?.abort()
    this.#links.reset()
    resetSocket(this.#socket)
  }

  // ---- of the exchange

  toClient(chunk: Buffer, link: Http1Link): boolean {
    this.#owner.traffic.toClient(chunk.length, link.kind === 'laptop')
    return this.#socket.write(chunk)
  }

  setReading(isReading: boolean): void {
    this.#exchangeReads = isReading
    this.#read()
    // An exchange that switched protocols takes what was sent ahead.
    if (isReading && this.#exchange?.isSwitched && this.#ahead.length > 0) this.#advance()
  }

  exchangeDone(isLast: boolean): void {
    this.#exchange = undefined
    this.#exchangeReads = true
    this.#stopWaiting()
    if (isLast) {
      this.#close()
      return
    }
    if (this.#route.dialsEachRequest) this.#links.abandonIdle()
    else this.#links.dropUnclaimed(this.#route)
    this.#advance()
    this.#read()
  }

  endClient(): void {
    if (this.#exchange?.isSwitched) this.#socket.end()
    else this.#close()
  }

  resetClient(): void {
    this.#links.reset()
    resetSocket(this.#socket)
  }

  refused(reason: string, { claim }: Http1Link): void {
    const exchange = this.#exchange
    this.#stopWaiting()
    if (!exchange) return
    if (claim?.onLocalDown === 'fail') this.#fail(exchange, claim, reason)
    else if (claim) this.#failOpen(exchange, reason)
    else {
      this.#owner.traffic.refused(reason)
      this.resetClient()
    }
  }

  askAgain(): void {
    const exchange = this.#exchange
    if (exchange) this.#ask(exchange)
  }

  badResponse(reason: string): void {
    this.#owner.traffic.refused(reason)
    this.#answer(502, `The upstream's response is not HTTP/1.1: ${reason}.`, this.#exchange?.request.method)
  }

  // ---- of the client

  #fromClient(chunk: Buffer): void {
    if (this.#isClosing) return
    this.#ahead = this.#ahead.length === 0 ? chunk : Buffer.concat([this.#ahead, chunk])
    this.#advance()
    if (this.#ahead.length > maxAheadBytes) this.#read()
  }

  /** Uses up what was read as far as it can be used now. */
  #advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      while (this.#ahead.length > 0 && !this.#isClosing && !this.#isClosed) {
        const exchange = this.#exchange
        if (exchange && !exchange.takesBytes) break
        const bytes = this.#ahead
        this.#ahead = empty
        const taken = exchange ? this.#continue(exchange, bytes) : this.#begin(bytes)
        if (taken < bytes.length) this.#ahead = bytes.subarray(taken)
      }
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      this.#badRequest(error)
    } finally {
      this.#isAdvancing = false
    }
    if (!this.#clientEnded || this.#ahead.length > 0) return
    if (this.#exchange) this.#exchange.clientEnd()
    else this.#close()
  }

  #continue(exchange: Http1Exchange, bytes: Buffer): number {
    const taken = exchange.fromClient(bytes)
    this.#owner.traffic.fromClient(taken, exchange.link?.kind === 'laptop')
    return taken
  }

  /** @returns how many bytes were used: all, or those of a whole head */
  #begin(bytes: Buffer): number {
    // An empty line before a request is skipped (RFC 9112, 2.2).
    const skipped = this.#head.isEmpty && bytes[0] === 0x0d && bytes[1] === 0x0a ? 2 : 0
    const head = this.#head.read(skipped > 0 ? bytes.subarray(2) : bytes)
    if (!head) return bytes.length
    const request = parseRequest(head.bytes)
    // Before any copy is begun: it may refuse.
    const sent = this.#headToSend(head.bytes, request)
    const route = this.#route
    const { address, text } = this.#client
    const claim = claimOf(route, request, address)
    const copies = mirrorsOf(route, request, address).flatMap(
      (mirror) => MirrorCopy.start(route, mirror, request, text, this.#owner.copies) ?? [],
    )
    const exchange = new Http1Exchange(this, request, sent, claim, copies)
    this.#exchange = exchange
    this.#ask(exchange)
    this.#owner.traffic.fromClient(head.bytes.length, exchange.link?.kind === 'laptop')
    return skipped + head.taken
  }

  /** As it came, unless more is asked for. @throws MessageError */
  #headToSend(head: Buffer, request: RequestMessage): Buffer {
    const { forwarding } = this.#owner
    const rewritten = this.#owner.rewriteHead?.(head, request) ?? head
    if (!forwarding) return rewritten
    const proto = this.#route.tls ? 'https' : 'http'
    const received = { client: this.#client.address, authority: request.authority, proto, version: '1.1' } as const
    return withFields(rewritten, forwardingFields(forwarding, received))
  }

  #ask(exchange: Http1Exchange): void {
    const { claim } = exchange
    const link = claim ? this.#links.toClaim(this.#route, claim) : this.#links.toOrigin(this.#route)
    if (typeof link !== 'string') exchange.send(link)
    else if (claim?.workload && claim.onLocalDown === 'fail') this.#fail(exchange, claim, link)
    else this.#failOpen(exchange, link)
  }

  /** Whom the claim is for cannot be asked: as if it were not there. */
  #failOpen(exchange: Http1Exchange, reason: string): void {
    this.#owner.traffic.failedOpen(reason)
    exchange.send(this.#links.toOrigin(this.#route))
  }

  #fail({ request }: Http1Exchange, claim: Claim, reason: string): void {
    this.#owner.traffic.refused(reason)
    const why = `${claim.intercept} intercepts this request, and lets it fail where nobody answers: ${reason}.`
    this.#answer(502, why, request.method)
  }

  /** The tunnel that has the request is down. It may come back; what may be asked twice is not kept waiting. */
  #laptopLost(link: Http1Link): void {
    const exchange = this.#exchange
    if (!exchange || exchange.isSwitched) return
    if (!link.isAccepted && exchange.isRepeatable) {
      link.giveUpWaiting('the tunnel is down')
      return
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#exchange !== exchange || exchange.link !== link || link.tunnel?.state === 'up') return
      if (!exchange.isRepeatable || exchange.claim?.onLocalDown === 'fail') return
      link.reset()
      this.#failOpen(exchange, 'the laptop was lost before it answered')
    }, repeatAfterMs)
  }

  #badRequest(error: MessageError): void {
    const exchange = this.#exchange
    exchange?.abort()
    this.#owner.traffic.clientError(error)
    if (exchange?.hasResponse) this.resetClient()
    else this.#answer(error.status, `The request is refused: ${error.message}.`)
  }

  /** A response of our own, the last. */
  #answer(status: number, text: string, method?: string): void {
    this.#exchange?.abort()
    this.#exchange = undefined
    this.#socket.write(textResponse(status, text, method))
    this.#close()
  }

  /** Ends our side, and reads on for a while: bytes left unread would make of the close a reset, and lose the response. */
  #close(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#exchange = undefined
    this.#ahead = empty
    this.#stopWaiting()
    this.#links.abandonIdle()
    this.#socket.end()
    this.#socket.resume()
    if (!this.#clientEnded)
      this.#socket.once('finish', () => {
        if (!this.#isClosed && !this.#clientEnded) this.#timer = setTimeout(() => this.#socket.destroy(), lingerMs)
      })
  }

  #clientEnd(): void {
    this.#clientEnded = true
    if (this.#isClosing || this.#isClosed) return
    // What was sent ahead is still to be asked.
    if (!this.#exchange) this.#close()
    else if (this.#ahead.length === 0) this.#exchange.clientEnd()
  }

  #clientClosed(hadError: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopWaiting()
    const isClean = !hadError && this.#socket.readableEnded && this.#socket.writableFinished
    if (isClean) this.#links.abandonIdle()
    else {
      this.#exchange?.abort()
      this.#links.reset()
    }
    this.#owner.closed(this)
  }

  #read(): void {
    if (this.#isClosing || (this.#exchangeReads && this.#ahead.length <= maxAheadBytes)) this.#socket.resume()
    else this.#socket.pause()
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
