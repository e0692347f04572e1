import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** Stands in for an API server that is stopped but not gone: its port accepts, its connections stay, nothing answers. */
export class StalledListener {
  readonly #silenced: readonly TLSSocket[]
  readonly #accepted = new Set<Socket>()
  readonly #server: Server

  private constructor(silenced: readonly TLSSocket[]) {
    this.#silenced = silenced
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      this.#accepted.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#accepted.delete(socket))
    })
  }

  /** `open`: the connections that fall silent. */
  static async start(port: number, open: Iterable<TLSSocket>): Promise<StalledListener> {
    const stalled = new StalledListener([...open])
    for (const socket of stalled.#silenced) {
      socket.pause()
      socket.cork()
    }
    stalled.#server.listen({ host: '127.0.0.1', port })
    await once(stalled.#server, 'listening')
    return stalled
  }

  /** Lets the silenced connections go on, closes those accepted meanwhile, and frees the port. */
  async end(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#accepted) socket.destroy()
    await closed
    for (const socket of this.#silenced) {
      socket.uncork()
      socket.resume()
    }
  }
}
