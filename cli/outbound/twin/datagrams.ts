import { codeOf, messageOf } from '../../../src/errors.ts'
import { TunnelError, type TunnelStream } from '../../../src/tunnel/index.ts'
import { dialUdp, type UdpFlow } from '../dial-udp.ts'
import type { Endpoint } from './keeper/ip-packet.ts'
import { Verdict } from './protocol.ts'
import { datagramVerdictOf } from './verdict-of.ts'

/** A flow in which nothing happened for so long is forgotten, in milliseconds. */
const idleMs = 60_000
/** How long a datagram is kept to be refused by what comes back, in milliseconds. */
const undecidedMs = 2_000
/** The one that was used least lately goes first. */
const mostFlows = 1_024

export interface DatagramParts {
  /** A stream for datagrams to there. @throws TunnelError 'tunnel-down' */
  dial(to: Endpoint): TunnelStream
  /** The answer to a DNS message; only where the datagram is for the name server. */
  query(message: Buffer): Promise<Buffer>
  isNameServer(to: Endpoint): boolean
  /** A datagram for the program. */
  reply(from: Endpoint, to: Endpoint, payload: Buffer): void
  decide(packet: number, verdict: Verdict): void
  onFailure(to: Endpoint, code: string, reason: string): void
}

interface Flow {
  readonly udp: UdpFlow
  /** The newest datagram's packet, where nothing came back since: what comes may be a refusal. */
  undecided: { readonly packet: number; readonly timer: NodeJS.Timeout } | undefined
  readonly idle: NodeJS.Timeout
}

/** Datagrams that leave the twin, a stream for each pair of ends. */
export class Datagrams {
  readonly #parts: DatagramParts
  readonly #flows = new Map<string, Flow>()
  #closed = false

  constructor(parts: DatagramParts) {
    this.#parts = parts
  }

  /** @param packet waits for a verdict, which it gets here or later */
  take(packet: number, from: Endpoint, to: Endpoint, payload: Buffer): void {
    if (this.#closed) return
    if (this.#parts.isNameServer(to)) {
      this.#parts.decide(packet, Verdict.Drop)
      void this.#ask(from, to, payload)
      return
    }
    const key = `${from.address}:${from.port} ${to.address}:${to.port}`
    try {
      const flow = this.#flows.get(key) ?? this.#begin(key, from, to)
      // The one that was used last stands last.
      this.#flows.delete(key)
      this.#flows.set(key, flow)
      this.#settle(flow, Verdict.Drop)
      flow.undecided = { packet, timer: setTimeout(() => this.#settle(flow, Verdict.Drop), undecidedMs) }
      flow.idle.refresh()
      flow.udp.send(payload)
    } catch (error) {
      this.#parts.onFailure(to, codeOf(error) ?? 'unreachable', messageOf(error))
      this.#parts.decide(packet, datagramVerdictOf(error))
    }
  }

  close(): void {
    this.#closed = true
    for (const key of [...this.#flows.keys()]) this.#end(key, Verdict.Drop)
  }

  async #ask(from: Endpoint, to: Endpoint, payload: Buffer): Promise<void> {
    try {
      this.#parts.reply(to, from, await this.#parts.query(payload))
    } catch (error) {
      // The program asks again, or gives up, as with any name server that says nothing.
      if (!this.#closed) this.#parts.onFailure(to, codeOf(error) ?? 'unreachable', messageOf(error))
    }
  }

  #begin(key: string, from: Endpoint, to: Endpoint): Flow {
    const udp = dialUdp(this.#parts.dial(to), {
      onDatagram: (payload) => {
        this.#settle(flow, Verdict.Drop)
        flow.idle.refresh()
        this.#parts.reply(to, from, payload)
      },
      onClosed: (code, reason) => {
        // A refusal is what the program is told; the rest is for her who looks on.
        if (code !== 'ECONNREFUSED' && code !== 'idle') this.#parts.onFailure(to, code, reason)
        if (this.#flows.get(key) === flow) {
          this.#end(key, code === 'idle' ? Verdict.Drop : datagramVerdictOf(new TunnelError(code, reason)))
        }
      },
    })
    const flow: Flow = { udp, undecided: undefined, idle: setTimeout(() => this.#end(key, Verdict.Drop), idleMs) }
    this.#flows.set(key, flow)
    for (const oldest of this.#flows.keys()) {
      if (this.#flows.size <= mostFlows) break
      this.#end(oldest, Verdict.Drop)
    }
    return flow
  }

  #end(key: string, verdict: Verdict): void {
    const flow = this.#flows.get(key)
    if (!flow) return
    this.#flows.delete(key)
    clearTimeout(flow.idle)
    this.#settle(flow, verdict)
    flow.udp.close()
  }

  #settle(flow: Flow, verdict: Verdict): void {
    if (!flow.undecided) return
    clearTimeout(flow.undecided.timer)
    this.#parts.decide(flow.undecided.packet, verdict)
    flow.undecided = undefined
  }
}
