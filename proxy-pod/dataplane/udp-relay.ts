import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { OriginEndpoint } from '../../src/takeover/endpoints.ts'
import type { OriginBalancer } from './origin-balancer.ts'

export const udpLimits = {
  /** A client's flow ends after so long without a datagram; as kube-proxy's conntrack does for flows with replies. */
  idleMs: 120_000,
  /** Flows of one port; the one that has been silent longest makes room. */
  maxFlows: 4_096,
}

interface Flow {
  readonly upstream: Socket
  readonly endpoint: OriginEndpoint
  timer: NodeJS.Timeout
}

/** Passes the datagrams of one UDP port of a Service to its origin, each client's to one endpoint, and the replies back. */
export class UdpRelay {
  readonly #origin: OriginBalancer
  readonly #onError: (error: Error) => void
  /** In order of last use. */
  readonly #flows = new Map<string, Flow>()
  #socket: Socket | undefined

  constructor(origin: OriginBalancer, onError: (error: Error) => void) {
    this.#origin = origin
    this.#onError = onError
  }

  /** @param port 0 for any free one. @returns the port. */
  async listen(host: string | undefined, port: number): Promise<number> {
    const socket = createSocket({ type: host === undefined || isIPv6(host) ? 'udp6' : 'udp4' })
    this.#socket = socket
    socket.on('message', (datagram, from) => this.#fromClient(datagram, from))
    socket.bind(host === undefined ? { port } : { port, address: host })
    await once(socket, 'listening')
    socket.on('error', this.#onError)
    return socket.address().port
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
    for (const key of this.#flows.keys()) this.#end(key)
  }

  #fromClient(datagram: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`
    let flow = this.#flows.get(key)
    // As kube-proxy does: a client that never falls silent must not send to a pod that is gone.
    if (flow && !this.#origin.has(flow.endpoint)) {
      this.#end(key)
      flow = undefined
    }
    flow ??= this.#begin(key, from)
    if (!flow) return
    flow.timer.refresh()
    this.#flows.delete(key)
    this.#flows.set(key, flow)
    flow.upstream.send(datagram, flow.endpoint.port, flow.endpoint.address)
  }

  #begin(key: string, from: RemoteInfo): Flow | undefined {
    const [endpoint] = this.#origin.order(from.address)
    if (!endpoint) return undefined
    if (this.#flows.size >= udpLimits.maxFlows) {
      const oldest = this.#flows.keys().next().value
      if (oldest !== undefined) this.#end(oldest)
    }
    const upstream = createSocket(isIPv6(endpoint.address) ? 'udp6' : 'udp4')
    const flow: Flow = { upstream, endpoint, timer: setTimeout(() => this.#end(key), udpLimits.idleMs) }
    flow.timer.unref()
    upstream.on('message', (reply, sender) => {
      if (sender.port === endpoint.port && sender.address === endpoint.address) {
        this.#socket?.send(reply, from.port, from.address)
      }
    })
    upstream.on('error', (error) => {
      this.#onError(error)
      this.#end(key)
    })
    this.#flows.set(key, flow)
    return flow
  }

  #end(key: string): void {
    const flow = this.#flows.get(key)
    if (!flow) return
    this.#flows.delete(key)
    clearTimeout(flow.timer)
    flow.upstream.close()
  }
}
