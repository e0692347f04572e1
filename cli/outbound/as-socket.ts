import type { Duplex } from 'node:stream'

/** What http.Agent, http.request and httpxy do to a net.Socket, for a stream of a tunnel. */
const socketMethods = {
  setTimeout: () => undefined,
  setNoDelay: () => undefined,
  setKeepAlive: () => undefined,
  ref: () => undefined,
  unref: () => undefined,
}

/** The same stream, for libraries that take it for a socket. */
export const asSocket = <T extends Duplex>(stream: T): T & typeof socketMethods => Object.assign(stream, socketMethods)
