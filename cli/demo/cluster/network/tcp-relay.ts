import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { resetSocket } from '../../../../src/reset-socket.ts'
import { splice } from '../../../../src/splice.ts'
import type { Balancer } from './balancer.ts'
import type { Address } from './reach.ts'

/** Listens on a Service's address and hands each new connection to an endpoint; a reset where there is none. */
export class TcpRelay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #closed = false

  constructor(balancer: Balancer) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const endpoint = balancer.pick(client.remoteAddress ?? '')
      if (!endpoint) {
        resetSocket(client)
        return
      }
      const upstream = connect({ ...endpoint, allowHalfOpen: true, noDelay: true })
      this.#track(client)
      this.#track(upstream)
      splice(client, upstream)
    })
  }

  /** On another port where this one may not be bound (below 1024 without root) or `port` is 0. */
  async listen(host: string, port: number): Promise<Address> {
    try {
      this.#server.listen({ host, port, exclusive: true, backlog: 1024 })
      await once(this.#server, 'listening')
    } catch (error) {
      if (port === 0) throw error
      return this.listen(host, 0)
    }
    const address = { host, port: (this.#server.address() as AddressInfo).port }
    if (this.#closed) this.#server.close()
    return address
  }

  /** Stops accepting; `connections` says what happens to those that are open. */
  close(connections: 'keep' | 'reset'): void {
    this.#closed = true
    if (this.#server.listening) this.#server.close()
    if (connections === 'reset') for (const socket of this.#sockets) resetSocket(socket)
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
