import {
  type Carrier,
  connectTunnel,
  createTunnelServer,
  dialWebSocket,
  generateKeys,
  type Hello,
  MemoryCarrier,
  type Tunnel,
  type TunnelKeys,
  type TunnelLimits,
  type TunnelServer,
  type TunnelState,
  type TunnelStateDetail,
  type TunnelStream,
} from '../../../src/tunnel/index.ts'
import { listenForCarriers } from './web-socket-server.ts'

/** Short times, so that a test sees every one of them pass. */
export const quickLimits: Partial<TunnelLimits> = {
  pingMs: 50,
  deadMs: 200,
  graceMs: 500,
  dialMs: 500,
  handshakeMs: 300,
  backoffMinMs: 5,
  backoffMaxMs: 40,
  closeMs: 200,
  workedMs: 1,
}

export interface Side {
  readonly tunnel: Tunnel
  readonly states: { readonly state: TunnelState; readonly detail: TunnelStateDetail }[]
  readonly draining: string[]
  onStream: (stream: TunnelStream) => void
  /** Resolves when the state is (or was, since the last call for it) this. */
  became(state: TunnelState): Promise<TunnelStateDetail>
}

class Recorder {
  readonly states: { readonly state: TunnelState; readonly detail: TunnelStateDetail }[] = []
  readonly draining: string[] = []
  readonly #waiting: (() => void)[] = []
  #seen = 0
  onStream: (stream: TunnelStream) => void = (stream) => stream.refuse('not-expected', 'no stream was expected')
  readonly events = {
    onStream: (stream: TunnelStream) => this.onStream(stream),
    onState: (state: TunnelState, detail: TunnelStateDetail) => {
      this.states.push({ state, detail })
      for (const wake of this.#waiting.splice(0)) wake()
    },
    onDraining: (reason: string) => {
      this.draining.push(reason)
    },
  }

  async became(state: TunnelState): Promise<TunnelStateDetail> {
    for (;;) {
      while (this.#seen < this.states.length) {
        const entry = this.states[this.#seen]
        this.#seen += 1
        if (entry?.state === state) return entry.detail
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

export interface PairOptions {
  readonly limits?: Partial<TunnelLimits>
  readonly clientLimits?: Partial<TunnelLimits>
  readonly transport?: 'memory' | 'web-socket'
  readonly keys?: TunnelKeys
  readonly claims?: Record<string, unknown>
  /** Before a dial goes through; may reject. */
  readonly beforeDial?: (lane: number, signal: AbortSignal) => Promise<void>
  readonly authorize?: (hello: Hello) => Promise<{ identity: string } | { refusal: { code: string; message: string } }>
}

export interface TunnelPair {
  readonly client: Side
  /** Resolves when the server has the tunnel. */
  readonly server: Promise<Side>
  readonly tunnelServer: TunnelServer
  readonly identities: string[]
  readonly hellos: Hello[]
  /** The client's carriers (memory transport), oldest first. */
  readonly carriers: MemoryCarrier[]
  /** Cuts what is connected now. */
  cut(): void
  readonly url: string
  close(): Promise<void>
}

/** A client and a server that are being joined. */
export async function tunnelPair(options: PairOptions = {}): Promise<TunnelPair> {
  const limits = { lanes: 1, ...quickLimits, ...options.limits }
  const hellos: Hello[] = []
  const identities: string[] = []
  const carriers: MemoryCarrier[] = []
  let gotServer: (side: Side) => void
  const server = new Promise<Side>((resolve) => {
    gotServer = resolve
  })
  const tunnelServer = createTunnelServer<string>({
    limits,
    authorize: async (hello) => {
      hellos.push(hello)
      return (await options.authorize?.(hello)) ?? { identity: 'ada' }
    },
    onTunnel: (tunnel, identity) => {
      identities.push(identity)
      const recorder = new Recorder()
      gotServer(sideOf(recorder, tunnel))
      return recorder.events
    },
  })
  const listener =
    options.transport === 'web-socket' ? await listenForCarriers((c) => tunnelServer.accept(c)) : undefined
  const memory = () => {
    const [near, far] = MemoryCarrier.pair()
    carriers.push(near)
    tunnelServer.accept(far)
    return near
  }
  const recorder = new Recorder()
  const tunnel = connectTunnel({
    dial: async (lane, signal): Promise<Carrier> => {
      await options.beforeDial?.(lane, signal)
      return listener ? dialWebSocket({ url: listener.url, signal }) : memory()
    },
    keys: options.keys ?? generateKeys(),
    claims: options.claims ?? { intercept: 'orders' },
    clientVersion: '0.0.0-test',
    events: recorder.events,
    limits: { ...limits, ...options.clientLimits },
  })
  return {
    client: sideOf(recorder, tunnel),
    server,
    tunnelServer,
    identities,
    hellos,
    carriers,
    url: listener?.url ?? '',
    cut: () => {
      for (const socket of listener?.sockets ?? []) socket.destroy()
      for (const carrier of carriers) carrier.break()
    },
    close: async () => {
      await tunnel.close('now')
      await tunnelServer.close('now')
      await listener?.close()
    },
  }
}

function sideOf(recorder: Recorder, tunnel: Tunnel): Side {
  return {
    tunnel,
    states: recorder.states,
    draining: recorder.draining,
    get onStream() {
      return recorder.onStream
    },
    set onStream(handler) {
      recorder.onStream = handler
    },
    became: (state) => recorder.became(state),
  }
}
