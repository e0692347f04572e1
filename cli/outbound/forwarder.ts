import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { codeOf, InterceptError, messageOf } from '../../src/errors.ts'
import { resetSocket } from '../../src/reset-socket.ts'
import { pipeSocket, type TunnelStream } from '../../src/tunnel/index.ts'
import { connectionWaitMs, waitForTunnel } from './wait-for-tunnel.ts'

export interface ForwarderParts {
  /** Opens a stream to where the port leads. @throws TunnelError 'tunnel-down' */
  dial(): TunnelStream
  /** Resolves when `dial` will not throw for want of a tunnel; rejects when `signal` aborts. */
  up(signal: AbortSignal): Promise<void>
  onConnection(): void
  onClosed(bytes: { readonly in: number; readonly out: number }): void
  onFailure(reason: string): void
}

/** A port of this machine whose connections leave from a proxy pod. */
export class Forwarder {
  readonly #parts: ForwarderParts
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #over = new AbortController()

  constructor(parts: ForwarderParts) {
    this.#parts = parts
  }

  /** @param port 0 for any free one @returns the port @throws InterceptError 'port-in-use' */
  async listen(hosts: readonly string[], port: number): Promise<number> {
    let chosen = port
    for (const host of hosts) chosen = await this.#listenOn(host, chosen)
    return chosen
  }

  close(): void {
    this.#over.abort()
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #listenOn(host: string, port: number): Promise<number> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      this.#serve(socket).catch((error: unknown) => {
        if (!this.#over.signal.aborted) this.#parts.onFailure(messageOf(error))
        resetSocket(socket)
      })
    })
    server.listen({ host, port })
    await once(server, 'listening').catch((cause: unknown) => {
      throw new InterceptError(
        codeOf(cause) === 'EADDRINUSE' ? 'port-in-use' : 'cannot-listen',
        `cannot listen on ${host}:${port}: ${messageOf(cause)}`,
        { cause, fix: `another port of this machine: ${port + 10_000}:PORT, or :PORT for any free one` },
      )
    })
    this.#servers.push(server)
    return (server.address() as AddressInfo).port
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => undefined)
    await waitForTunnel(this.#parts, { waitMs: connectionWaitMs, signal: this.#over.signal })
    const stream = this.#parts.dial()
    this.#parts.onConnection()
    pipeSocket(stream, socket, {
      onRefuse: (_code, message) => {
        this.#parts.onFailure(message)
        this.#parts.onClosed({ in: 0, out: 0 })
        resetSocket(socket)
      },
      onClose: ({ how, by, bytesIn, bytesOut }) => {
        if (how === 'reset' && by === 'stream' && bytesIn === 0) {
          this.#parts.onFailure('the connection was reset before anything came back')
        }
        this.#parts.onClosed({ in: bytesIn, out: bytesOut })
      },
    })
    socket.resume()
  }
}
