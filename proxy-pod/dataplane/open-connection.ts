import type { Socket } from 'node:net'
import type { Protocol } from '../../src/http/first-bytes.ts'
import { ClientConnection } from './client-connection.ts'
import type { Connection, ConnectionOwner } from './connection.ts'
import { Http1Connection } from './http1-connection.ts'
import { Http2Connection } from './http2-connection.ts'
import type { Route } from './route.ts'
import { UnknownConnection } from './unknown-connection.ts'

/**
 * The connection of a socket (paused, allowHalfOpen) that speaks `protocol`. @param bytes that were read of it already
 * @param keep gets it before anything can come of it
 */
export function openConnection(
  socket: Socket,
  protocol: Protocol,
  bytes: Buffer,
  route: Route,
  owner: ConnectionOwner,
  keep: (connection: Connection) => unknown,
): void {
  switch (protocol) {
    case 'undecided': {
      const connection = new UnknownConnection(socket, bytes, route, owner)
      keep(connection)
      connection.start()
      return
    }
    case 'http1':
      keep(new Http1Connection(socket, bytes, route, owner))
      return
    case 'http2':
      keep(new Http2Connection(socket, bytes, route, owner))
      return
    case 'other':
      keep(new ClientConnection(socket, bytes, route, owner))
      return
    default:
      protocol satisfies never
  }
}
