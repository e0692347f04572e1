import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Link } from './cluster.ts'

interface Target {
  readonly host: string
  readonly port: number
}

export interface LinkRelay {
  readonly port: number
  readonly link: Link
  stop(): void
}

/**
 * A TCP relay in front of the API server that can be silent and slow, as a laptop's link is. @param target where each
 * connection goes @param wantedPort 0: any free one
 */
export async function startLinkRelay(target: Target | (() => Target), wantedPort = 0): Promise<LinkRelay> {
  let isDown = false
  let bytesPerMs = 0
  const sockets = new Set<Socket>()
  const flows = new Set<Flow>()
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...(typeof target === 'function' ? target() : target), noDelay: true })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      const flow = new Flow(from, to, () => ({ isDown, bytesPerMs }))
      flows.add(flow)
      from.on('close', () => {
        sockets.delete(from)
        flows.delete(flow)
        to.destroy()
      })
      from.on('error', () => to.destroy())
    }
  })
  server.listen(wantedPort, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    link: {
      set: async (...options) => {
        for (const [index, option] of options.entries()) {
          if (option === '--down') isDown = true
          else if (option === '--up') isDown = false
          else if (option === '--rate') bytesPerMs = (Number.parseFloat(options[index + 1] ?? '0') * 1e6) / 8 / 1000
        }
        for (const flow of flows) flow.wake()
      },
    },
    stop: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** One direction of one connection. */
class Flow {
  readonly #from: Socket
  readonly #to: Socket
  readonly #state: () => { isDown: boolean; bytesPerMs: number }
  #busy = false

  constructor(from: Socket, to: Socket, state: () => { isDown: boolean; bytesPerMs: number }) {
    this.#from = from
    this.#to = to
    this.#state = state
    from.on('readable', () => this.wake())
    from.on('end', () => to.end())
  }

  wake(): void {
    if (this.#busy) return
    const { isDown, bytesPerMs } = this.#state()
    if (isDown) return
    const chunk = this.#from.read() as Buffer | null
    if (!chunk) return
    this.#busy = true
    const flushed = this.#to.write(chunk)
    const go = (): void => {
      this.#busy = false
      this.wake()
    }
    const wait = bytesPerMs > 0 ? chunk.length / bytesPerMs : 0
    const next = (): void => void (wait >= 1 ? setTimeout(go, wait) : setImmediate(go))
    if (flushed) next()
    else this.#to.once('drain', next)
  }
}
