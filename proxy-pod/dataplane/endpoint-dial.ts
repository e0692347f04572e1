import { connect, type Socket } from 'node:net'
import type { OriginBalancer } from './origin-balancer.ts'
import { startTls, type UpstreamTls } from './tls-upstream.ts'

/** Time for one endpoint to accept, in milliseconds, before the next is tried. */
const connectTimeoutMs = 2_000

export interface EndpointDialEvents {
  /** The socket is the caller's, who listens to its errors from now on. Half-open is allowed. */
  onConnected(socket: Socket): void
  /** None accepted. */
  onRefused(reason: string): void
}

/**
 * Connects to the first endpoint that accepts, with TLS: that agrees, in the balancer's order; those that do not are
 * skipped. Tells how it went on a later turn, once.
 */
export class EndpointDial {
  readonly #balancer: OriginBalancer
  readonly #candidates: Iterator<{ readonly address: string; readonly port: number }>
  readonly #tls: UpstreamTls | undefined
  readonly #events: EndpointDialEvents
  #trying: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(
    balancer: OriginBalancer,
    clientAddress: string,
    tls: UpstreamTls | undefined,
    events: EndpointDialEvents,
  ) {
    this.#balancer = balancer
    this.#candidates = balancer.order(clientAddress)[Symbol.iterator]()
    this.#tls = tls
    this.#events = events
    // The caller has no reference to us before the constructor returns.
    queueMicrotask(() => this.#tryNext('the Service has no ready endpoint'))
  }

  /** Nobody waits for it any more; nothing is told. */
  cancel(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#trying?.destroy()
  }

  #tryNext(reason: string): void {
    if (this.#isOver) return
    const { value: endpoint, done } = this.#candidates.next()
    if (done) {
      this.#isOver = true
      this.#events.onRefused(reason)
      return
    }
    const { address: host, port } = endpoint
    const tcp = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const socket = this.#tls ? startTls(tcp, this.#tls) : tcp
    this.#trying = socket
    this.#timer = setTimeout(
      () => socket.destroy(new Error(`${host}:${port} did not accept in ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    )
    socket.on('error', (error) => {
      // TLS can fail twice. Of a connected socket its owner is told.
      if (this.#isOver || this.#trying !== socket) return
      this.#trying = undefined
      clearTimeout(this.#timer)
      this.#balancer.failed(endpoint)
      this.#tryNext(error.message)
    })
    socket.once(this.#tls ? 'secureConnect' : 'connect', () => {
      if (this.#isOver || this.#trying !== socket) return
      this.#isOver = true
      clearTimeout(this.#timer)
      this.#events.onConnected(socket)
    })
  }
}
