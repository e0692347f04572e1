import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Endpoint } from './ip-packet.ts'

/** Addresses from which datagrams came back lately; the one that was used least lately goes first. */
const mostSockets = 512

/** Datagrams that come to the twin from outside, each from the address of who sent it: every address is ours here. */
export class Replies {
  readonly #sockets = new Map<string, Promise<Socket>>()

  /** Rejects where the program itself holds that address. */
  async send(from: Endpoint, to: Endpoint, payload: Buffer): Promise<void> {
    const socket = await this.#socketOf(from)
    await new Promise<void>((resolve, reject) =>
      socket.send(payload, to.port, to.address, (error) => (error ? reject(error) : resolve())),
    )
  }

  #socketOf(from: Endpoint): Promise<Socket> {
    const key = `${from.address}:${from.port}`
    const found = this.#sockets.get(key)
    this.#sockets.delete(key)
    const socket = found ?? bound(from)
    this.#sockets.set(key, socket)
    if (!found) {
      socket.catch(() => this.#sockets.delete(key))
      this.#shrink()
    }
    return socket
  }

  #shrink(): void {
    for (const [key, socket] of this.#sockets) {
      if (this.#sockets.size <= mostSockets) return
      this.#sockets.delete(key)
      void socket.then((one) => one.close())
    }
  }
}

function bound({ address, port }: Endpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reuseAddr: true })
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject)
      // Whoever it was for has gone: as on any network.
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}
