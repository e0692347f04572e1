import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { codeOf, messageOf } from '../../src/errors.ts'
import type { TunnelStream } from '../../src/tunnel/types.ts'
import { dialError } from './dial-error.ts'
import type { Address } from './resolve.ts'

export const udpFlowLimits = {
  /** A flow ends after so long without a datagram; as conntrack's of flows with replies. Milliseconds. */
  idleMs: 120_000,
  /** Flows of one tunnel; the one that has been silent longest makes room. */
  mostFlows: 256,
  /** Datagrams that are kept while the addresses are looked up; more are dropped. */
  mostEarly: 32,
}

/** Code with which a flow ends that was silent, or made room. The laptop dials again when it has something to send. */
const idleCode = 'idle'

/** Errors of one datagram, not of the flow: it was too long, or there is no memory now. */
const ofOneDatagram: ReadonlySet<string> = new Set(['EMSGSIZE', 'ENOBUFS', 'EAGAIN', 'ENOMEM'])

interface Flow {
  readonly stream: TunnelStream
  readonly gone: AbortController
  socket: Socket | undefined
  timer: NodeJS.Timeout | undefined
}

/** The UDP sockets of one tunnel: for each stream one, connected to where it leads. */
export class UdpFlows {
  readonly #limits: typeof udpFlowLimits
  /** In order of last use. */
  readonly #flows = new Set<Flow>()

  constructor(limits: typeof udpFlowLimits = udpFlowLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#flows.size
  }

  /**
   * Accepts the stream once a socket is connected, and passes datagrams both ways. It is refused with what `resolve`
   * rejects with; it is reset with the errno's code where ICMP brings one, and 'idle' where it was silent.
   */
  serve(stream: TunnelStream, resolve: () => Promise<readonly Address[]>): void {
    const [oldest] = this.#flows
    if (oldest && this.#flows.size >= this.#limits.mostFlows) this.#end(oldest, idleCode)
    const flow: Flow = { stream, gone: new AbortController(), socket: undefined, timer: undefined }
    this.#flows.add(flow)
    const early: Buffer[] = []
    stream.handle({
      onData: (chunk) => stream.consumed(chunk.length),
      onEnd: () => this.#end(flow, 'ended'),
      onReset: () => this.#end(flow, undefined),
      onDrain: () => undefined,
      onDatagram: (datagram) => {
        if (flow.socket) this.#send(flow, flow.socket, datagram)
        else if (early.length < this.#limits.mostEarly) early.push(datagram)
      },
    })
    this.#open(flow, early, resolve).catch((error: unknown) => {
      if (flow.gone.signal.aborted) return
      stream.refuse(codeOf(error) ?? 'unreachable', messageOf(error))
      this.#end(flow, undefined)
    })
  }

  async #open(flow: Flow, early: readonly Buffer[], resolve: () => Promise<readonly Address[]>): Promise<void> {
    const socket = await connectFirst(await resolve(), flow.gone.signal)
    if (flow.gone.signal.aborted) return void socket.close()
    flow.socket = socket
    flow.timer = setTimeout(() => this.#end(flow, idleCode), this.#limits.idleMs).unref()
    socket.on('message', (datagram) => {
      this.#used(flow)
      flow.stream.sendDatagram(datagram)
    })
    socket.on('error', (error) => this.#end(flow, codeOf(error) ?? 'socket-error'))
    flow.stream.accept()
    for (const datagram of early) this.#send(flow, socket, datagram)
  }

  #send(flow: Flow, socket: Socket, datagram: Buffer): void {
    if (flow.gone.signal.aborted) return
    this.#used(flow)
    socket.send(datagram, (error) => {
      const code = codeOf(error)
      if (error && !ofOneDatagram.has(code ?? '')) this.#end(flow, code ?? 'socket-error')
    })
  }

  #used(flow: Flow): void {
    if (!this.#flows.delete(flow)) return
    this.#flows.add(flow)
    flow.timer?.refresh()
  }

  /** @param code for the laptop; undefined: it knows */
  #end(flow: Flow, code: string | undefined): void {
    if (!this.#flows.delete(flow)) return
    clearTimeout(flow.timer)
    flow.gone.abort()
    if (code !== undefined) {
      // Before it was accepted only a refusal says that nothing was delivered.
      if (!flow.socket) flow.stream.refuse(code, 'the flow made room for another')
      flow.stream.reset(code)
    }
    flow.socket?.removeAllListeners('message')
    flow.socket?.close()
  }
}

/** A socket that is connected to the first address that can be. Rejects with what says most where none can. */
async function connectFirst(addresses: readonly Address[], signal: AbortSignal): Promise<Socket> {
  const errors: unknown[] = []
  for (const { host, port } of addresses) {
    signal.throwIfAborted()
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    try {
      socket.connect(port, host)
      await once(socket, 'connect')
      return socket
    } catch (error) {
      socket.close()
      errors.push(error)
    }
  }
  throw dialError(errors)
}
