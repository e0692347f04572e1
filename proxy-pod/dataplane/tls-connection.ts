import type { Socket } from 'node:net'
import type { ForwardingOptions } from '../../src/http/forwarding-fields.ts'
import { resetSocket } from '../../src/reset-socket.ts'
import type { Connection, ConnectionKind, ConnectionOwner } from './connection.ts'
import type { Copies } from './copies.ts'
import { openConnection } from './open-connection.ts'
import { certificateOf, type Route } from './route.ts'
import { listenTo } from './socket-listeners.ts'
import { type ClientHello, readClientHello } from './tls-client-hello.ts'
import { negotiate } from './tls-negotiation.ts'
import type { TlsProtocol } from './tls-upstream.ts'
import type { TrafficCounter } from './traffic.ts'

const empty = Buffer.alloc(0)
const kindOf: Readonly<Record<TlsProtocol, ConnectionKind>> = { h2: 'http2', 'http/1.1': 'http1' }

/**
 * A client's TLS, ended here, and the connection inside it. What is agreed on inside is what the origin agrees on. TLS
 * that the origin would not speak in that way, or that we could not pass on, goes to the origin unseen.
 */
export class TlsConnection implements Connection, ConnectionOwner {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #stopListening: () => void
  #route: Route
  #bytes: Buffer
  #hello: ClientHello | undefined
  #protocol: TlsProtocol | undefined
  #inner: Connection | undefined
  #isDraining = false
  #isClosed = false

  /** Takes the socket over: paused, allowHalfOpen. @param bytes that were read of it already */
  constructor(socket: Socket, bytes: Buffer, route: Route, owner: ConnectionOwner) {
    this.#socket = socket
    this.#bytes = bytes
    this.#route = route
    this.#owner = owner
    this.#stopListening = listenTo(socket, {
      data: (chunk) => {
        this.#bytes = Buffer.concat([this.#bytes, chunk])
        this.#readHello()
      },
      end: () => this.#pass(),
      drain: () => undefined,
      error: (error) => owner.traffic.clientError(error),
      close: () => this.#over(),
    })
  }

  /** Not in the constructor: nobody has a reference then. */
  start(): void {
    this.#readHello()
    if (!this.#hello && !this.#isClosed) this.#socket.resume()
  }

  get traffic(): TrafficCounter {
    return this.#owner.traffic
  }

  get copies(): Copies {
    return this.#owner.copies
  }

  get forwarding(): ForwardingOptions | undefined {
    return this.#owner.forwarding
  }

  reroute(route: Route): void {
    this.#route = route
    this.#inner?.reroute(this.#inside)
  }

  dropReleased(): void {
    this.#inner?.dropReleased()
  }

  drain(): void {
    this.#isDraining = true
    this.#inner?.drain?.()
  }

  reset(): void {
    if (this.#inner) this.#inner.reset()
    else resetSocket(this.#socket)
  }

  // ---- of the connection inside

  closed(): void {
    this.#over()
  }

  handOver(_connection: Connection, socket: Socket, kind: ConnectionKind, bytes: Buffer): void {
    this.#serve(socket, kind, bytes)
  }

  /** For the connection inside: whoever it asks is asked with TLS. */
  get #inside(): Route {
    return { ...this.#route, tls: { servername: this.#hello?.servername, protocol: this.#protocol } }
  }

  #readHello(): void {
    if (this.#hello) return
    const hello = readClientHello(this.#bytes)
    if (hello === 'incomplete') return
    if (hello === 'other') {
      this.#pass()
      return
    }
    this.#hello = hello
    this.#socket.pause()
    void this.#negotiate(hello)
  }

  async #negotiate(hello: ClientHello): Promise<void> {
    const negotiated = await negotiate(this.#route.origin, hello, this.#socket.remoteAddress ?? '')
    if (this.#isClosed) return
    if (negotiated.kind === 'end') this.#end(negotiated.protocol)
    else {
      this.traffic.failedOpen(negotiated.reason)
      this.#pass()
    }
  }

  /** To the origin, as if nobody ended TLS here. */
  #pass(): void {
    this.#isClosed = true
    this.#stopListening()
    this.#owner.handOver(this, this.#socket, 'other', this.#bytes)
  }

  #end(protocol: TlsProtocol | undefined): void {
    const certificate = certificateOf(this.#route)
    if (!certificate) {
      this.#pass()
      return
    }
    this.#stopListening()
    this.#protocol = protocol
    this.#socket.unshift(this.#bytes)
    certificate.endTls(this.#socket, protocol, {
      onSecure: (socket) => this.#serve(socket, protocol === undefined ? 'undecided' : kindOf[protocol], empty),
      onFailure: (error) => {
        if (error) this.traffic.clientError(error)
        this.#over()
      },
    })
  }

  #serve(socket: Socket, kind: ConnectionKind, bytes: Buffer): void {
    // TLS within TLS is the origin's affair.
    const protocol = kind === 'tls' ? 'other' : kind
    openConnection(socket, protocol, bytes, this.#inside, this, (connection) => {
      this.#inner = connection
      if (this.#isDraining) connection.drain?.()
    })
  }

  #over(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#owner.closed(this)
  }
}
