import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { ForwardingOptions } from '../../src/http/forwarding-fields.ts'
import type { Connection, ConnectionKind, ConnectionOwner } from './connection.ts'
import { Copies } from './copies.ts'
import { mirrorLimits } from './mirror-copy.ts'
import { openConnection } from './open-connection.ts'
import { isPerRequest, type Route } from './route.ts'
import { TlsConnection } from './tls-connection.ts'
import type { TrafficCounter } from './traffic.ts'

/** Waiting connections in the kernel's queue; a burst at takeover must not be refused. */
const backlog = 4_096
const empty = Buffer.alloc(0)

/**
 * Listens for one TCP port of one Service and keeps its connections: raw ones, or, where a claim wants some requests
 * only, those that are followed request by request.
 */
export class TcpListener implements ConnectionOwner {
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly traffic: TrafficCounter
  readonly copies = new Copies(mirrorLimits.copies)
  readonly forwarding: ForwardingOptions | undefined
  #route: Route
  #closing = false

  constructor(route: Route, traffic: TrafficCounter, forwarding?: ForwardingOptions) {
    this.#route = route
    this.traffic = traffic
    this.forwarding = forwarding
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#serve(socket, isPerRequest(this.#route) ? 'undecided' : 'other', empty),
    )
  }

  /** @param port 0 for any free one. @returns the port. */
  async listen(host: string | undefined, port: number): Promise<number> {
    this.#server.listen({ host, port, backlog })
    await once(this.#server, 'listening')
    this.#server.on('error', (error) => this.traffic.clientError(error))
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  /** New connections follow the new route at once, open ones as soon as they can. */
  setRoute(route: Route): void {
    this.#route = route
    for (const connection of [...this.#connections]) connection.reroute(route)
  }

  /** Ends what is still open to a laptop that no longer holds the port. */
  resetLaptopConnections(): void {
    for (const connection of [...this.#connections]) connection.dropReleased()
  }

  /** No new connections; open ones go on, and lead away from here where their protocol lets them. */
  stopAccepting(): void {
    if (this.#closing) return
    this.#closing = true
    this.#server.close()
    for (const connection of [...this.#connections]) connection.drain?.()
  }

  close(): void {
    this.stopAccepting()
    for (const connection of this.#connections) connection.reset()
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection)
  }

  handOver(connection: Connection, socket: Socket, kind: ConnectionKind, bytes: Buffer): void {
    this.#connections.delete(connection)
    this.#serve(socket, kind, bytes)
  }

  #serve(socket: Socket, kind: ConnectionKind, bytes: Buffer): void {
    if (kind === 'tls') {
      const connection = new TlsConnection(socket, bytes, this.#route, this)
      this.#keep(connection)
      connection.start()
    } else openConnection(socket, kind, bytes, this.#route, this, (connection) => this.#keep(connection))
  }

  #keep(connection: Connection): void {
    this.#connections.add(connection)
    // One whose first bytes came late.
    if (this.#closing) connection.drain?.()
  }
}
