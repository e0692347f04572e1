import { codeOf, InterceptError, messageOf } from '../../src/errors.ts'
import { isKubeError } from '../../src/kube/error.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { ConnectionSpec } from '../../src/resource/connection.ts'
import type { StreamHeader, TunnelStream } from '../../src/tunnel/index.ts'
import type { CommandContext } from '../command.ts'
import { ConnectionHold } from './connection-hold.ts'
import { Contact } from './contact.ts'
import { tellAstray } from './tell-astray.ts'
import { TunnelPool } from './tunnel-pool.ts'

/** A person's way into the cluster with no Intercept: a Connection, and tunnels to the proxy pods with its key. */
export class WayIn {
  readonly #context: CommandContext
  readonly #hold: ConnectionHold
  readonly #pool: TunnelPool
  /** Between `open` and `close`. */
  #isOpen = false

  private constructor(context: CommandContext, hold: ConnectionHold, pool: TunnelPool) {
    this.#context = context
    this.#hold = hold
    this.#pool = pool
  }

  /**
   * Opens it and waits until it leads in. @param purpose what the Connection's name begins with
   * @throws InterceptError 'not-installed', 'forbidden', KubeError; what `signal` aborts with
   */
  static async open(
    context: CommandContext,
    kube: Kube,
    options: { readonly reach: ConnectionSpec['reach']; readonly holder: string; readonly purpose: string },
    signal: AbortSignal,
  ): Promise<WayIn> {
    const { ui, global } = context
    // An intercept tells of its own tunnels.
    const contact = options.purpose === 'intercept' ? undefined : new Contact(ui)
    let pool: TunnelPool | undefined
    const hold = await ConnectionHold.create(
      kube,
      { namespace: kube.namespace, ...options },
      {
        onError: (error) => ui.warn('not-renewed', `the Connection could not be renewed: ${messageOf(error)}`),
        onMadeAgain: () => pool?.tryAgain(),
      },
    ).catch((error: unknown) => {
      throw explained(error, options.reach, kube.namespace)
    })
    const opened = new TunnelPool(kube, global.systemNamespace, hold.keys, {
      onStream: (stream) => stream.refuse('not-supported', 'nothing is answered here'),
      onState: (_replica, _state, { reason }) => {
        if (way.#isOpen) contact?.changed(opened.connected.length, reason)
      },
      // So does it of this.
      onAstray: (message) => contact && tellAstray(ui, message),
    })
    pool = opened
    const way = new WayIn(context, hold, opened)
    try {
      await opened.synced
      ui.live.set(() => `connecting: ${opened.trouble ?? 'opening a tunnel'}`)
      await opened.ready(signal)
      signal.throwIfAborted()
      way.#isOpen = true
      return way
    } catch (error) {
      await way.close()
      throw error
    }
  }

  /** How it leads in: 'direct', 'pods/proxy', 'port-forward'. */
  get route(): string | undefined {
    return this.#pool.route
  }

  /** What keeps it from leading in now, for people; undefined where nothing does. */
  get trouble(): string | undefined {
    return this.#pool.trouble
  }

  /** A stream to the nearest proxy pod. @throws TunnelError 'tunnel-down' */
  dial(destination: Readonly<Record<string, string | number>>): TunnelStream {
    const header: StreamHeader = { dial: destination }
    return this.#pool.open(header)
  }

  /** Datagrams to and from a port of a host. @throws TunnelError 'tunnel-down' */
  dialUdp(destination: Readonly<Record<string, string | number>>): TunnelStream {
    return this.#pool.open({ proto: 'udp', dial: destination })
  }

  /** A stream of DNS messages, answered as a pod of the namespace would be. @throws TunnelError 'tunnel-down' */
  openDns(namespace: string): TunnelStream {
    return this.#pool.open({ dns: { namespace } })
  }

  /** A stream that says what the resolv.conf of a pod of the namespace does. @throws TunnelError 'tunnel-down' */
  openResolver(namespace: string): TunnelStream {
    return this.#pool.open({ resolver: { namespace } })
  }

  /** Resolves when a tunnel is up; rejects when `signal` aborts first. */
  async up(signal: AbortSignal): Promise<void> {
    await this.#pool.anyUp(signal)
    signal.throwIfAborted()
  }

  /** Takes the Connection away. */
  async close(): Promise<void> {
    const { ui } = this.#context
    this.#isOpen = false
    await this.#hold
      .leave()
      .catch((error: unknown) => ui.warn('not-left', `Connection ${this.#hold.name} stays: ${messageOf(error)}`))
    await this.#pool.close('now')
  }
}

function explained(error: unknown, reach: ConnectionSpec['reach'], namespace: string): unknown {
  if (isKubeError(error, 'not-found')) {
    return new InterceptError(
      'not-installed',
      'intercept is not installed in this cluster, or an older release of it',
      {
        cause: error,
        fix: 'intercept install',
      },
    )
  }
  if (codeOf(error) !== 'forbidden' && codeOf(error) !== 'denied') return error
  const role = reach === 'anywhere' ? 'intercept-outbound' : 'intercept-user'
  return new InterceptError('forbidden', `you may not open a way into the cluster: ${messageOf(error)}`, {
    cause: error,
    fix: `An administrator types: kubectl create rolebinding NAME --clusterrole=${role} --user=YOU -n ${namespace}`,
  })
}
