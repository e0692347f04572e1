import { randomBytes } from 'node:crypto'
import { InterceptError, messageOf } from '../errors.ts'
import { TunnelError } from './error.ts'
import { encodeWelcome, type Hello, ownLimits, type Refusal } from './handshake.ts'
import { limitsOf, type TunnelLimits } from './limits.ts'
import { challenge, type Newcomer } from './server-handshake.ts'
import { TunnelCore } from './tunnel-core.ts'
import type { Carrier, Tunnel, TunnelEvents } from './types.ts'

export type Authorization<Identity> = { readonly identity: Identity } | { readonly refusal: Refusal }

export interface TunnelServerOptions<Identity> {
  /** Asked for every carrier, resuming ones too; the signature is good. A rejection refuses for now, not for good. */
  authorize(hello: Hello): Promise<Authorization<Identity>>
  /** A new tunnel, with the identity of its first carrier. Its state is told from then on. */
  onTunnel(tunnel: Tunnel, identity: Identity): TunnelEvents
  readonly limits?: Partial<TunnelLimits>
}

export interface TunnelServer {
  /** Takes a carrier that nobody has greeted yet. */
  accept(carrier: Carrier): void
  /** Closes every tunnel, refuses every later carrier. */
  close(how: 'drain' | 'now', reason?: string): Promise<void>
  /** Those that are not closed. */
  readonly tunnels: readonly Tunnel[]
}

type Held = { readonly core: TunnelCore; readonly publicKey: string }

const closing: Refusal = { code: 'server-closing', message: 'this replica is shutting down', final: false }

/** The cluster's end: greets carriers and joins them into tunnels. */
export function createTunnelServer<Identity>(options: TunnelServerOptions<Identity>): TunnelServer {
  return new Server(options)
}

class Server<Identity> implements TunnelServer {
  readonly #options: TunnelServerOptions<Identity>
  readonly #limits: TunnelLimits
  readonly #held = new Map<string, Held>()
  /** Oldest first. */
  readonly #newcomers = new Set<Newcomer>()
  #closing = false

  constructor(options: TunnelServerOptions<Identity>) {
    this.#options = options
    this.#limits = limitsOf(options.limits)
  }

  get tunnels(): readonly Tunnel[] {
    return [...this.#held.values()].map(({ core }) => core)
  }

  accept(carrier: Carrier): void {
    const [oldest] = this.#newcomers
    if (oldest && this.#newcomers.size >= this.#limits.maxHandshakes) {
      oldest.refuse({ code: 'too-many-handshakes', message: 'too many carriers are not authenticated yet' })
    }
    const newcomer: Newcomer = challenge(carrier, {
      limits: this.#limits,
      onHello: (hello, who) => void this.#greet(carrier, hello, who),
      onOver: () => this.#newcomers.delete(newcomer),
    })
    this.#newcomers.add(newcomer)
    if (this.#closing) newcomer.refuse(closing)
  }

  async close(how: 'drain' | 'now', reason = 'the server shuts down'): Promise<void> {
    this.#closing = true
    for (const newcomer of [...this.#newcomers]) newcomer.refuse(closing)
    await Promise.all(this.tunnels.map((tunnel) => tunnel.close(how, reason)))
  }

  async #greet(carrier: Carrier, hello: Hello, newcomer: Newcomer): Promise<void> {
    try {
      const answer = await this.#options.authorize(hello)
      if ('refusal' in answer) newcomer.refuse(answer.refusal)
      else if (this.#closing) newcomer.refuse(closing)
      else this.#admit(carrier, hello, newcomer, answer.identity)
    } catch (error) {
      const refusal = refusalOf(error)
      newcomer.refuse(refusal)
      carrier.close(4_401, refusal.code)
    }
  }

  #admit(carrier: Carrier, hello: Hello, newcomer: Newcomer, identity: Identity): void {
    const held = this.#held.get(hello.tunnel)
    if (held && held.publicKey !== hello.publicKey) {
      throw new TunnelError('tunnel-taken', 'another key has opened this tunnel')
    }
    if (hello.lane >= this.#limits.maxLanes) throw new TunnelError('bad-hello', `lane ${hello.lane} does not exist`)
    if (hello.resume && held?.core.lanes.get(hello.lane)?.sessionId !== hello.resume.session) {
      throw new TunnelError('session-unknown', 'the session was lost')
    }
    if (!held && this.#held.size >= this.#limits.maxTunnels) {
      throw new TunnelError('too-many-tunnels', `${this.#limits.maxTunnels} tunnels are open`, { final: false })
    }
    if (!newcomer.admit()) return
    const { core } = held ?? this.#begin(hello, identity)
    this.#attach(core, carrier, hello)
  }

  #begin(hello: Hello, identity: Identity): Held {
    let events: TunnelEvents | undefined
    const core = new TunnelCore({
      id: hello.tunnel,
      side: 'server',
      limits: this.#limits,
      events: {
        onStream: (stream) => events?.onStream(stream),
        onState: (state, detail) => events?.onState(state, detail),
        onDraining: (reason) => events?.onDraining?.(reason),
      },
      onLaneDown: () => undefined,
      onClosed: () => this.#held.delete(hello.tunnel),
    })
    const held = { core, publicKey: hello.publicKey }
    this.#held.set(hello.tunnel, held)
    try {
      events = this.#options.onTunnel(core, identity)
    } catch (error) {
      core.abandon('tunnel-closed', messageOf(error))
      throw error
    }
    return held
  }

  #attach(core: TunnelCore, carrier: Carrier, hello: Hello): void {
    const lane = core.lane(hello.lane)
    if (!hello.resume) lane.begin(randomBytes(16).toString('base64url'), hello.limits)
    const welcome = { session: lane.sessionId ?? '', received: lane.received, limits: ownLimits(this.#limits) }
    carrier.send([encodeWelcome(welcome)])
    try {
      lane.attach(carrier, hello.resume?.received ?? 0)
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error
      carrier.close(4_400, error.code)
    }
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof InterceptError) {
    const final = error instanceof TunnelError ? error.final : undefined
    return { code: error.code, message: error.message, fix: error.fix, final }
  }
  return {
    code: 'authorize-failed',
    message: `the server could not check the login: ${messageOf(error)}`,
    final: false,
  }
}
