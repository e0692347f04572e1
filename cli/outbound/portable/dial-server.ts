import { once } from 'node:events'
import { type AddressInfo, createServer, isIP, type Server, type Socket } from 'node:net'
import { pipeSocket } from '../../../src/tunnel/index.ts'
import { ProxyDial, type ProxyParts } from '../proxy-dial.ts'
import type { Address } from './found-address.ts'
import { HeldStream } from './held-stream.ts'
import { type DialAnswer, mostLineBytes } from './preload/wire.ts'
import { localHost } from './rewriting.ts'

/**
 * Connects Node programs that run with the preload (preload/wire.ts): dials first, and gives out a port for the
 * connection only when the cluster has accepted, so that the program sees the real error otherwise.
 */
export class DialServer {
  readonly #over = new AbortController()
  readonly #dial: ProxyDial
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #doors = new Set<Server>()

  constructor(parts: ProxyParts) {
    this.#dial = new ProxyDial(parts, this.#over.signal)
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#add(socket)
      this.#serve(socket)
    })
  }

  /** @returns `127.0.0.1:PORT` */
  async listen(): Promise<string> {
    return `${localHost}:${await listenOn(this.#server)}`
  }

  close(): void {
    this.#over.abort()
    for (const server of [this.#server, ...this.#doors]) server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #serve(asking: Socket): void {
    let text = ''
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (!text.includes('\n') && text.length <= mostLineBytes) return
      asking.off('data', read)
      // Its end is seen only while it is read.
      asking.resume()
      const to = requestOf(text)
      if (!to) {
        asking.destroy()
        return
      }
      this.#connect(asking, to).catch((error: unknown) => {
        const { code } = this.#dial.failed(to, error)
        if (!asking.destroyed) answer(asking, { code })
      })
    }
    asking.on('data', read)
  }

  /** Rejects with what kept it from connecting. */
  async #connect(asking: Socket, to: Address): Promise<void> {
    const held = new HeldStream(await this.#dial.stream(to))
    const { stream } = held
    const unwanted = (): void => stream.reset('not-wanted')
    asking.once('close', unwanted)
    if (asking.destroyed) unwanted()
    await held.accepted
    if (asking.destroyed) return
    const door = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      door.close()
      asking.off('close', unwanted)
      // The asker waits for that: if it left first, we could not tell it from one that gave up.
      asking.end()
      this.#add(socket)
      pipeSocket(stream, socket, { replay: held.replay, onClose: this.#dial.opened() })
      socket.resume()
    })
    door.maxConnections = 1
    this.#doors.add(door)
    door.once('close', () => this.#doors.delete(door))
    asking.once('close', () => door.close())
    answer(asking, { port: await listenOn(door) })
  }
}

function answer(socket: Socket, what: DialAnswer): void {
  socket.write(`${JSON.stringify(what)}\n`)
}

async function listenOn(server: Server): Promise<number> {
  server.listen({ host: localHost, port: 0 })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Undefined for what no preload says, such as an HTTP request of a web page. */
function requestOf(text: string): Address | undefined {
  if (!text.startsWith('{')) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(text.slice(0, text.indexOf('\n')))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const { host, port } = parsed as Record<string, unknown>
  if (typeof host !== 'string' || isIP(host) === 0) return undefined
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? { host, port } : undefined
}
