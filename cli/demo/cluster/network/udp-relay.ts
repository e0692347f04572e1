import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Balancer } from './balancer.ts'
import type { Address } from './reach.ts'

const idleMs = 30_000
const maxFlows = 4_096

interface Flow {
  readonly socket: Socket
  readonly endpoint: Address
  timer: NodeJS.Timeout
}

/** UDP of a Service: a flow for each client address and port stays with its endpoint while that is one. */
export class UdpRelay {
  readonly #server = createSocket('udp4')
  readonly #flows = new Map<string, Flow>()
  readonly #balancer: Balancer
  #listening = false
  #closed = false

  constructor(balancer: Balancer) {
    this.#balancer = balancer
    this.#server.on('message', (datagram, client) => this.#forward(datagram, client))
  }

  async listen(host: string, port: number): Promise<Address> {
    try {
      this.#server.bind({ address: host, port, exclusive: true })
      await once(this.#server, 'listening')
    } catch (error) {
      if (port === 0) throw error
      return this.listen(host, 0)
    }
    const address = { host, port: this.#server.address().port }
    this.#listening = true
    if (this.#closed) this.#server.close()
    return address
  }

  close(): void {
    for (const key of this.#flows.keys()) this.#drop(key)
    this.#closed = true
    if (this.#listening) this.#server.close()
  }

  #forward(datagram: Buffer, client: RemoteInfo): void {
    const key = `${client.address}:${client.port}`
    let flow = this.#flows.get(key)
    if (
      flow &&
      !this.#balancer.endpoints.some(({ host, port }) => host === flow?.endpoint.host && port === flow.endpoint.port)
    ) {
      this.#drop(key)
      flow = undefined
    }
    flow ??= this.#open(key, client)
    if (!flow) return
    flow.timer.refresh()
    flow.socket.send(datagram, flow.endpoint.port, flow.endpoint.host)
  }

  #open(key: string, client: RemoteInfo): Flow | undefined {
    const endpoint = this.#balancer.pick(client.address)
    if (!endpoint || this.#flows.size >= maxFlows) return undefined
    const socket = createSocket('udp4')
    const flow: Flow = { socket, endpoint, timer: setTimeout(() => this.#drop(key), idleMs).unref() }
    socket.on('message', (datagram) => this.#server.send(datagram, client.port, client.address))
    socket.on('error', () => this.#drop(key))
    this.#flows.set(key, flow)
    return flow
  }

  #drop(key: string): void {
    const flow = this.#flows.get(key)
    if (!flow) return
    this.#flows.delete(key)
    clearTimeout(flow.timer)
    flow.socket.close()
  }
}
