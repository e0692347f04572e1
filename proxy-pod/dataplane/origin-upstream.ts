import type { Socket } from 'node:net'
import { resetSocket } from '../../src/reset-socket.ts'
import { EndpointDial } from './endpoint-dial.ts'
import type { OriginBalancer } from './origin-balancer.ts'
import type { UpstreamTls } from './tls-upstream.ts'
import type { Upstream, UpstreamEvents } from './upstream.ts'

/**
 * Connects to one of the endpoints in the balancer's order. An endpoint that refuses or does not answer is skipped;
 * what is written meanwhile waits for the first that accepts, with TLS: and agrees. onRefuse where none does.
 */
export class OriginUpstream implements Upstream {
  readonly kind = 'origin'
  readonly #events: UpstreamEvents
  readonly #dial: EndpointDial
  #socket: Socket | undefined
  #waiting: Buffer[] = []
  #ended = false
  #over = false

  constructor(balancer: OriginBalancer, clientAddress: string, events: UpstreamEvents, tls?: UpstreamTls) {
    this.#events = events
    this.#dial = new EndpointDial(balancer, clientAddress, tls, {
      onConnected: (socket) => this.#established(socket),
      onRefused: (reason) => {
        this.#over = true
        events.onRefuse(reason)
      },
    })
  }

  #established(socket: Socket): void {
    this.#socket = socket
    socket.on('data', (chunk) => {
      // Abandoned in that very call, it must still be read to its end.
      if (!this.#over && !this.#events.onData(chunk) && !this.#over) socket.pause()
    })
    socket.on('end', () => !this.#over && this.#events.onEnd())
    socket.on('drain', () => !this.#over && this.#events.onDrain())
    socket.on('close', (hadError) => {
      if (this.#over || !hadError) return
      this.#over = true
      this.#events.onReset()
    })
    for (const chunk of this.#waiting) socket.write(chunk)
    this.#waiting = []
    if (this.#ended) socket.end()
    this.#events.onAccept()
  }

  write(chunk: Buffer): boolean {
    if (this.#socket) return this.#socket.write(chunk)
    this.#waiting.push(chunk)
    return true
  }

  end(): void {
    this.#ended = true
    this.#socket?.end()
  }

  reset(): void {
    this.#over = true
    this.#dial.cancel()
    if (this.#socket) resetSocket(this.#socket)
  }

  abandon(): void {
    this.#over = true
    this.#dial.cancel()
    this.#socket?.removeAllListeners('data').resume().end()
  }

  consumed(): void {
    this.#socket?.resume()
  }
}
