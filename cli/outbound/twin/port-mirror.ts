import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { codeOf, messageOf } from '../../../src/errors.ts'
import { resetSocket } from '../../../src/reset-socket.ts'
import { joinPaused } from './join-paused.ts'

const hosts = ['127.0.0.1', '::1']

export interface PortMirrorParts {
  /** A connection to what listens at that port of the twin. */
  dial(port: number): Promise<Socket>
  /** The port leads into the twin now. */
  onMirrored(port: number): void
  /** Something of this machine has the port, or it may not be had. */
  onTaken(port: number, code: string, reason: string): void
}

/** Ports at which something listens in the twin, at the same number on this machine's loopback. */
export class PortMirror {
  readonly #parts: PortMirrorParts
  readonly #servers = new Map<number, Promise<Server[]>>()
  readonly #sockets = new Set<Socket>()
  #closed = false

  constructor(parts: PortMirrorParts) {
    this.#parts = parts
  }

  isMirrored(port: number): boolean {
    return this.#servers.has(port)
  }

  /** Follows what listens now. */
  follow(ports: readonly number[]): void {
    if (this.#closed) return
    for (const [port, servers] of this.#servers) {
      if (ports.includes(port)) continue
      this.#servers.delete(port)
      void servers.then(closeAll)
    }
    for (const port of ports) {
      if (!this.#servers.has(port)) this.#servers.set(port, this.#listen(port))
    }
  }

  close(): void {
    this.#closed = true
    for (const servers of this.#servers.values()) void servers.then(closeAll)
    this.#servers.clear()
    for (const socket of this.#sockets) resetSocket(socket)
  }

  async #listen(port: number): Promise<Server[]> {
    const servers: Server[] = []
    for (const host of hosts) {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
        void this.#join(socket, port)
      })
      try {
        server.listen({ host, port, exclusive: true })
        await once(server, 'listening')
        server.on('error', () => undefined)
        servers.push(server)
      } catch (error) {
        // A machine without IPv6.
        if (servers.length > 0 && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error) ?? '')) continue
        this.#parts.onTaken(port, codeOf(error) ?? 'unavailable', messageOf(error))
        break
      }
    }
    if (servers.length > 0) this.#parts.onMirrored(port)
    return servers
  }

  async #join(socket: Socket, port: number): Promise<void> {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
    try {
      const inner = await this.#parts.dial(port)
      if (socket.destroyed) return resetSocket(inner)
      joinPaused(socket, inner)
    } catch {
      // It has just stopped to listen: who asked is told as by that.
      resetSocket(socket)
    }
  }
}

function closeAll(servers: readonly Server[]): void {
  for (const server of servers) server.close()
}
