import type { Socket } from 'node:net'
import { createSecureContext, createServer, type Server, type TLSSocket } from 'node:tls'
import { resettable, type TlsProtocol } from './tls-upstream.ts'

/** Time for a client to agree with us, in milliseconds. */
const handshakeMs = 30_000

/** What comes of a client's TLS. One of them is called, once. */
export interface TlsOutcome {
  /** The socket of what is inside, with no listener on it. */
  onSecure(socket: TLSSocket): void
  /** The connection is gone. */
  onFailure(error: Error | undefined): void
}

/**
 * A certificate with its key, and the ends of TLS that stand on it. Node ends TLS of a connection that is already there
 * only through a server; ours never listen, one for each protocol that may be agreed on.
 */
export class TlsCertificate {
  readonly #pem: { readonly cert: string; readonly key: string }
  readonly #servers = new Map<TlsProtocol | undefined, Server>()
  /** By the two ends of the connection, which are what a server's socket still tells of it. */
  readonly #waiting = new Map<string, { readonly tcp: Socket; readonly outcome: TlsOutcome }>()

  /** @param pem a chain, the server's own first. Throws where it is none, or the key is another's. */
  constructor(pem: { readonly cert: string; readonly key: string }) {
    createSecureContext(pem)
    this.#pem = pem
  }

  /** Takes the socket over; the ClientHello is still to be read from it. @param protocol one that the client offered */
  endTls(tcp: Socket, protocol: TlsProtocol | undefined, outcome: TlsOutcome): void {
    const key = endsOf(tcp)
    const waiting = { tcp, outcome }
    this.#waiting.set(key, waiting)
    // What TLS itself does not tell, 'close' does.
    tcp.on('error', (error) => this.#failed(key, error))
    tcp.once('close', () => {
      if (this.#waiting.get(key) === waiting) this.#take(key)?.outcome.onFailure(undefined)
    })
    this.#server(protocol).emit('connection', tcp)
  }

  #server(protocol: TlsProtocol | undefined): Server {
    const found = this.#servers.get(protocol)
    if (found) return found
    const alpn = protocol === undefined ? {} : { ALPNProtocols: [protocol] }
    const server = createServer({ ...this.#pem, ...alpn, handshakeTimeout: handshakeMs })
    server.on('secureConnection', (socket: TLSSocket) => {
      const waiting = this.#take(endsOf(socket))
      if (waiting) waiting.outcome.onSecure(resettable(socket, waiting.tcp))
      else socket.destroy()
    })
    server.on('tlsClientError', (error, socket) => {
      this.#failed(endsOf(socket), error)
      socket.destroy()
    })
    this.#servers.set(protocol, server)
    return server
  }

  #failed(key: string, error: Error): void {
    this.#take(key)?.outcome.onFailure(error)
  }

  #take(key: string) {
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    return waiting
  }
}

const endsOf = (socket: Socket): string =>
  [socket.remoteAddress, socket.remotePort, socket.localAddress, socket.localPort].join(' ')
