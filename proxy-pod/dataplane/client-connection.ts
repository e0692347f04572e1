import type { Socket } from 'node:net'
import { InterceptError } from '../../src/errors.ts'
import { ExchangeTracker } from '../../src/http/exchange-tracker.ts'
import { resetSocket } from '../../src/reset-socket.ts'
import { type Connection, type ConnectionOwner, clientOf, repeatAfterMs } from './connection.ts'
import { LaptopUpstream } from './laptop-upstream.ts'
import type { OriginBalancer } from './origin-balancer.ts'
import { OriginUpstream } from './origin-upstream.ts'
import { type Claim, isPerRequest, type Route, rawClaim, tlsToLocal, usableTunnel } from './route.ts'
import { listenTo } from './socket-listeners.ts'
import type { TrafficCounter } from './traffic.ts'
import type { Upstream, UpstreamEvents } from './upstream.ts'

/** A connection that the laptop refused asks it again, between two exchanges, after so long. Milliseconds. */
const retryLaptopMs = 1_000
/** Bytes of a client that are kept until an upstream accepts them; then reading pauses. */
const maxFirstBytes = 64 * 1024
const empty = Buffer.alloc(0)

/**
 * One TCP connection from the cluster to a port of a taken-over Service. Its bytes go raw to the holder's laptop or to
 * the origin. Its first bytes are kept until the upstream accepted, so a refusal loses nothing; a server that speaks
 * first is reached at once. An HTTP/1.1 connection moves to where new ones go, when that changes, between two exchanges.
 */
export class ClientConnection implements Connection {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #traffic: TrafficCounter
  readonly #stopListening: () => void
  readonly #exchange = new ExchangeTracker()
  #route: Route
  #upstream: Upstream | undefined
  /** Whose endpoints the last upstream that is no laptop was chosen from. */
  #dialed: OriginBalancer | undefined
  #events: UpstreamEvents | undefined
  /** What the upstream has not accepted yet; undefined once it has. */
  #firstBytes: Buffer[] | undefined = []
  #firstBytesLength = 0
  #clientEnded = false
  #closed = false
  /** The client has sent something. */
  #hasSpoken = false
  #writesBlocked = false
  /** The request under way, until a byte of its answer comes; undefined where it cannot be kept. */
  #request: Buffer[] | undefined
  #requestLength = 0
  #refusedAt = Number.NEGATIVE_INFINITY
  #repeatTimer: NodeJS.Timeout | undefined

  /**
   * Takes the socket over: paused, allowHalfOpen.
   * @param bytes that were read of it already: they told that it stays raw, or the port has no use for them
   */
  constructor(socket: Socket, bytes: Buffer, route: Route, owner: ConnectionOwner) {
    this.#socket = socket
    this.#route = route
    this.#owner = owner
    this.#traffic = owner.traffic
    this.#stopListening = listenTo(socket, {
      data: (chunk) => this.#fromClient(chunk),
      end: () => this.#clientEnd(),
      drain: () => this.#upstream?.consumed(),
      // 'close' follows and tells the upstream.
      error: (error) => this.#traffic.clientError(error),
      close: (hadError) => this.#clientClosed(hadError),
    })
    this.#connect(this.#toLaptop() ?? this.#toOrigin())
    if (bytes.length > 0) this.#pass(bytes)
    if (socket.readableEnded) this.#clientEnd()
    else if (!this.#writesBlocked && this.#firstBytesLength < maxFirstBytes) socket.resume()
  }

  get #claim(): Claim | undefined {
    return rawClaim(this.#route)
  }

  /** Where connections go has changed, or a tunnel's state. Moves at once if between two exchanges, else when it is. */
  reroute(route: Route): void {
    this.#route = route
    const upstream = this.#upstream
    const events = this.#events
    if (upstream instanceof LaptopUpstream && events && upstream.tunnel.state !== 'up') {
      if (this.#mayAskAgain) upstream.giveUpWaiting('the tunnel is down', events)
      this.#repeatTimer ??= setTimeout(() => this.#repeatIfLost(upstream), repeatAfterMs)
    }
    this.#moveIfIdle()
  }

  /** The laptop that has an unanswered request has not come back: a request that may be repeated goes to the origin. */
  #repeatIfLost(upstream: LaptopUpstream): void {
    this.#repeatTimer = undefined
    if (this.#upstream !== upstream || upstream.tunnel.state === 'up' || !this.#canRepeat) return
    upstream.reset()
    this.#repeat()
  }

  /** The laptop's accept may be under way: what it may have served already, nobody else gets before its time is over. */
  get #mayAskAgain(): boolean {
    return this.#firstBytesLength === 0 || this.#exchange.isRepeatable
  }

  get #canRepeat(): boolean {
    return this.#request !== undefined && this.#exchange.isRepeatable && this.#claim?.onLocalDown !== 'fail'
  }

  #repeat(): void {
    this.#firstBytes = this.#request ?? []
    this.#firstBytesLength = this.#requestLength
    this.#traffic.failedOpen('the laptop was lost before it answered')
    this.#connect(this.#toOrigin())
  }

  dropReleased(): void {
    const laptop = this.#upstream instanceof LaptopUpstream ? this.#upstream.tunnel : undefined
    if (laptop && !this.#route.claims.some((claim) => claim.tunnel() === laptop)) this.reset()
  }

  /** Ends what cannot be moved. */
  reset(): void {
    this.#upstream?.reset()
    resetSocket(this.#socket)
  }

  #connect(upstream: Upstream): void {
    this.#upstream = upstream
    this.#writesBlocked = false
    this.#traffic.connected(upstream.kind)
    for (const chunk of this.#firstBytes ?? []) upstream.write(chunk)
    if (this.#clientEnded) upstream.end()
  }

  #toLaptop(): LaptopUpstream | undefined {
    const { health, port } = this.#route
    const claim = this.#claim
    const tunnel = usableTunnel(claim)
    if (!tunnel || !claim || !health.mayTry(tunnel)) return undefined
    const events = this.#eventsOf(true)
    const header = { intercept: claim.intercept, port, proto: 'tcp', client: clientOf(this.#socket) }
    try {
      const upstream = new LaptopUpstream(
        tunnel,
        header,
        claim.acceptTimeoutMs,
        health,
        events,
        tlsToLocal(this.#route, claim),
      )
      this.#events = events
      return upstream
    } catch (error) {
      // The tunnel drains, or has as many streams as it may.
      if (!(error instanceof InterceptError)) throw error
      health.inconclusive(tunnel)
      this.#refusedAt = performance.now()
      this.#traffic.failedOpen(error.message)
      return undefined
    }
  }

  /** Where connections go that go to no laptop: to the claim's workload, while it has an endpoint, or to the origin. */
  get #balancer(): OriginBalancer {
    const workload = this.#claim?.workload
    return workload && workload.size > 0 ? workload : this.#route.origin
  }

  #toOrigin(balancer = this.#balancer): OriginUpstream {
    this.#dialed = balancer
    this.#events = this.#eventsOf(false)
    return new OriginUpstream(balancer, this.#socket.remoteAddress ?? '', this.#events, this.#route.tls)
  }

  #eventsOf(isLaptop: boolean): UpstreamEvents {
    const events: UpstreamEvents = {
      onAccept: () => {
        if (this.#events !== events) return
        this.#firstBytes = undefined
        this.#socket.resume()
        this.#moveIfIdle()
      },
      onRefuse: (reason) => {
        if (this.#events !== events) return
        this.#refusedAt = performance.now()
        if (isLaptop && this.#claim?.onLocalDown !== 'fail') {
          this.#traffic.failedOpen(reason)
          this.#connect(this.#toOrigin())
          return
        }
        const isWorkload = !isLaptop && this.#dialed !== this.#route.origin
        if (isWorkload && this.#claim?.onLocalDown !== 'fail') {
          this.#traffic.failedOpen(reason)
          this.#connect(this.#toOrigin(this.#route.origin))
          return
        }
        this.#traffic.refused(reason)
        resetSocket(this.#socket)
      },
      onData: (chunk) => {
        if (this.#events !== events) return true
        this.#traffic.toClient(chunk.length, isLaptop)
        this.#request = undefined
        this.#exchange.fromUpstream(chunk)
        const flushed = this.#socket.write(chunk)
        if (this.#exchange.isIdle) this.#moveIfIdle()
        return flushed
      },
      onEnd: () => {
        if (this.#events === events) this.#socket.end()
      },
      onReset: () => {
        if (this.#events !== events) return
        if (isLaptop && this.#canRepeat) this.#repeat()
        else resetSocket(this.#socket)
      },
      onDrain: () => {
        if (this.#events !== events) return
        this.#writesBlocked = false
        this.#socket.resume()
      },
    }
    return events
  }

  #fromClient(chunk: Buffer): void {
    if (this.#isBetweenExchanges && isPerRequest(this.#route)) this.#handOver(chunk)
    else this.#pass(chunk)
  }

  #pass(chunk: Buffer): void {
    this.#hasSpoken = true
    this.#traffic.fromClient(chunk.length, this.#upstream?.kind === 'laptop')
    this.#keepRequest(chunk)
    this.#exchange.fromClient(chunk)
    if (this.#firstBytes) {
      this.#firstBytes.push(chunk)
      this.#firstBytesLength += chunk.length
      if (this.#firstBytesLength >= maxFirstBytes) this.#socket.pause()
    }
    if (this.#upstream?.write(chunk) === false) {
      this.#writesBlocked = true
      this.#socket.pause()
    }
  }

  /** Keeps the request that is being asked, for as long as it is small. */
  #keepRequest(chunk: Buffer): void {
    if (this.#exchange.isIdle) {
      this.#request = []
      this.#requestLength = 0
    }
    if (!this.#request) return
    this.#requestLength += chunk.length
    if (this.#requestLength > maxFirstBytes) this.#request = undefined
    else this.#request.push(chunk)
  }

  #clientEnd(): void {
    this.#clientEnded = true
    this.#upstream?.end()
  }

  #clientClosed(hadError: boolean): void {
    if (this.#closed) return
    this.#closed = true
    this.#events = undefined
    clearTimeout(this.#repeatTimer)
    if (hadError || !this.#socket.readableEnded || !this.#socket.writableFinished) this.#upstream?.reset()
    this.#owner.closed(this)
  }

  /** True where whoever comes next on the connection need not be who came before. */
  get #isBetweenExchanges(): boolean {
    const isUntouched = !this.#hasSpoken && this.#exchange.isIdle
    if (this.#closed || this.#clientEnded || this.#writesBlocked || this.#socket.writableEnded) return false
    return isUntouched || (this.#exchange.isIdle && !this.#firstBytes)
  }

  /** From here on its requests go each its own way. */
  #handOver(bytes: Buffer): void {
    this.#closed = true
    this.#events = undefined
    clearTimeout(this.#repeatTimer)
    if (this.#firstBytes) this.#upstream?.reset()
    else this.#upstream?.abandon()
    this.#stopListening()
    this.#owner.handOver(this, this.#socket, this.#hasSpoken ? 'http1' : 'undecided', bytes)
  }

  /** Goes on with the upstream that a new connection would get, if no exchange is under way. */
  #moveIfIdle(): void {
    const upstream = this.#upstream
    if (this.#closed || this.#clientEnded || this.#firstBytes || this.#writesBlocked || !upstream) return
    if (!this.#exchange.isIdle || this.#socket.writableEnded) return
    // One that has said nothing yet may wait for the origin to speak first.
    if (isPerRequest(this.#route) && this.#hasSpoken) {
      this.#handOver(empty)
      return
    }
    const wanted = usableTunnel(this.#claim)
    const current = upstream instanceof LaptopUpstream ? upstream.tunnel : undefined
    if (wanted === current && (wanted || this.#dialed === this.#balancer)) return
    const isTooSoon = performance.now() - this.#refusedAt < retryLaptopMs
    const goesToOrigin = !wanted && this.#balancer === this.#route.origin
    if (!goesToOrigin && isTooSoon) return
    if (wanted && this.#route.health.isDoubtful(wanted)) return
    const laptop = this.#toLaptop()
    if (wanted && !laptop) return
    upstream.abandon()
    this.#firstBytes = []
    this.#firstBytesLength = 0
    this.#connect(laptop ?? this.#toOrigin())
  }
}
