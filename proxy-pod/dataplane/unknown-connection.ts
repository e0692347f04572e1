import type { Socket } from 'node:net'
import { mayBecomeHttp, protocolOf } from '../../src/http/first-bytes.ts'
import { resetSocket } from '../../src/reset-socket.ts'
import type { Connection, ConnectionKind, ConnectionOwner } from './connection.ts'
import { certificateOf, type Route } from './route.ts'
import { listenTo } from './socket-listeners.ts'
import { mayBeTls } from './tls-client-hello.ts'

/**
 * How long a client that says nothing is waited for, in milliseconds. Then it may be one that expects the server to
 * speak first, and the origin is dialed.
 */
const silentMs = 300

/** A connection whose first bytes are to tell what it speaks. */
export class UnknownConnection implements Connection {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #stopListening: () => void
  readonly #timer: NodeJS.Timeout
  #route: Route
  #bytes: Buffer

  /** Takes the socket over: paused, allowHalfOpen. @param bytes that were read of it already */
  constructor(socket: Socket, bytes: Buffer, route: Route, owner: ConnectionOwner) {
    this.#socket = socket
    this.#route = route
    this.#owner = owner
    this.#bytes = bytes
    this.#stopListening = listenTo(socket, {
      data: (chunk) => {
        this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
        this.#decide()
      },
      end: () => this.#goOn('other'),
      drain: () => undefined,
      error: (error) => owner.traffic.clientError(error),
      close: () => {
        clearTimeout(this.#timer)
        owner.closed(this)
      },
    })
    this.#timer = setTimeout(() => {
      if (this.#bytes.length === 0 || !mayBecomeHttp(this.#bytes)) this.#goOn('other')
    }, silentMs)
    socket.resume()
  }

  /** Decides at once where the bytes that are there suffice. Not in the constructor: nobody has a reference then. */
  start(): void {
    if (this.#bytes.length > 0) this.#decide()
  }

  reroute(route: Route): void {
    this.#route = route
  }

  dropReleased(): void {
    // Nobody has it.
  }

  reset(): void {
    resetSocket(this.#socket)
  }

  #decide(): void {
    const isTls = mayBeTls(this.#bytes) && certificateOf(this.#route) !== undefined
    const protocol = isTls ? 'tls' : protocolOf(this.#bytes)
    if (protocol !== 'undecided') this.#goOn(protocol)
  }

  #goOn(kind: Exclude<ConnectionKind, 'undecided'>): void {
    clearTimeout(this.#timer)
    this.#stopListening()
    this.#owner.handOver(this, this.#socket, kind, this.#bytes)
  }
}
