import type { Socket } from 'node:net'
import type { Protocol } from '../../src/http/first-bytes.ts'
import type { ForwardingOptions } from '../../src/http/forwarding-fields.ts'
import type { RequestMessage } from '../../src/http/request-message.ts'
import type { Copies } from './copies.ts'
import type { Route } from './route.ts'
import type { TrafficCounter } from './traffic.ts'

/** How long a request waits for a laptop that was lost, before it is repeated at the origin if it may be. Milliseconds. */
export const repeatAfterMs = 2_000

/** One client's connection to a port, whatever it speaks. */
export interface Connection {
  /** Where traffic goes has changed, or a tunnel's state. */
  reroute(route: Route): void
  /** Ends what still goes to a laptop that no longer holds the port. */
  dropReleased(): void
  /** Asks the client to come anew for what it has not begun; what it has goes on. Not every protocol can say that. */
  drain?(): void
  /** Ends it, with all that goes on in it. */
  reset(): void
}

/** What is to become of a connection. 'tls': its first bytes are TLS that is ended here. */
export type ConnectionKind = Protocol | 'tls'

/** What a connection has of the listener that it came to. */
export interface ConnectionOwner {
  readonly traffic: TrafficCounter
  /** Of requests that came to this port. */
  readonly copies: Copies
  /** What requests that are followed one by one are told of the way that they came; undefined: nothing. */
  readonly forwarding?: ForwardingOptions | undefined
  /** Where it is there, an HTTP/1.1 head goes on as this makes it. @throws MessageError where the request leads nowhere */
  rewriteHead?(head: Buffer, request: RequestMessage): Buffer
  closed(connection: Connection): void
  /**
   * The socket, paused and without the connection's listeners, goes on as a connection of that kind ('undecided': its first
   * bytes tell). `bytes` were read and not used.
   */
  handOver(connection: Connection, socket: Socket, kind: ConnectionKind, bytes: Buffer): void
}

export const clientOf = (socket: Socket): string => `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`
