import { codeOf, type InterceptError } from '../../src/errors.ts'
import type { Pod } from '../../src/kube/objects.ts'
import { pods } from '../../src/kube/resources.ts'
import type { Informer, Kube } from '../../src/kube/types.ts'
import { APP_NAME_LABEL, PROXY_NAME } from '../../src/resource/names.ts'
import {
  connectTunnel,
  type StreamHeader,
  type Tunnel,
  TunnelError,
  type TunnelKeys,
  type TunnelState,
  type TunnelStream,
} from '../../src/tunnel/index.ts'
import { type CarrierRoute, Carriers } from './carriers.ts'

export interface TunnelChange {
  readonly reason?: string
  /** With 'up': how long it had been down. */
  readonly downMs?: number
  /** With 'up': the way by which its carriers go. */
  readonly carrier?: CarrierRoute
}

export interface PoolEvents {
  onStream(stream: TunnelStream): void
  onState(replica: string, state: TunnelState, detail: TunnelChange): void
  /** Told once: the address past the API server leads elsewhere, so that it is not used. */
  onAstray(message: string): void
}

/** Codes by which a tunnel says that it takes no further stream now. */
const withoutRoom: ReadonlySet<string> = new Set(['too-many-streams', 'tunnel-busy'])

/** One tunnel to every proxy pod that is there; follows them as they come and go. */
export class TunnelPool {
  readonly #informer: Informer<Pod>
  readonly #carriers: Carriers
  readonly #keys: TunnelKeys
  readonly #events: PoolEvents
  /** By the pod's uid: a new pod of an old name is another one. */
  readonly #tunnels = new Map<string, { readonly replica: string; readonly tunnel: Tunnel }>()
  readonly #listeners = new Set<() => void>()
  #closed = false
  /** Why a tunnel could not be made, where trying again cannot help. */
  #refusal: InterceptError | undefined
  #trouble: string | undefined

  constructor(kube: Kube, systemNamespace: string, keys: TunnelKeys, events: PoolEvents) {
    this.#carriers = new Carriers(kube, systemNamespace, (message) => events.onAstray(message))
    this.#keys = keys
    this.#events = events
    this.#informer = kube.inform<Pod>(pods, {
      namespace: systemNamespace,
      labelSelector: `${APP_NAME_LABEL}=${PROXY_NAME}`,
    })
    this.#informer.onChange(() => this.#follow())
  }

  /** Rejects where the proxy pods cannot be listed. */
  get synced(): Promise<void> {
    return this.#informer.synced
  }

  /** The ways by which it leads to the proxy pods: 'direct', 'pods/proxy', 'port-forward', or several with ' and '. */
  get route(): string | undefined {
    const routes = [...this.#tunnels.keys()]
      .map((uid) => this.#carriers.routeTo(uid))
      .filter((one) => one !== undefined)
    return routes.length === 0 ? undefined : [...new Set(routes)].sort().join(' and ')
  }

  /** Names of the proxy pods that have a tunnel now, sorted. */
  get connected(): string[] {
    return this.#all
      .filter(({ tunnel }) => tunnel.state === 'up')
      .map(({ replica }) => replica)
      .sort()
  }

  /** Ready proxy pods. */
  get replicas(): string[] {
    return this.#informer
      .list()
      .filter(isReady)
      .map(({ metadata }) => metadata.name)
      .sort()
  }

  /** Releases that the proxy pods run, as their labels say; one, but during an upgrade. */
  get versions(): string[] {
    const labels = this.#informer.list().map(({ metadata }) => metadata.labels?.['app.kubernetes.io/version'])
    return [...new Set(labels.filter((version) => version !== undefined))].sort()
  }

  get openStreams(): number {
    return this.#all.reduce((sum, { tunnel }) => sum + tunnel.stats.streams, 0)
  }

  get bytes(): { in: number; out: number } {
    return this.#all.reduce(
      (sum, { tunnel }) => ({ in: sum.in + tunnel.stats.bytesIn, out: sum.out + tunnel.stats.bytesOut }),
      { in: 0, out: 0 },
    )
  }

  /** Round trip of the best tunnel in milliseconds. */
  get roundTripMs(): number | undefined {
    const times = this.#all.map(({ tunnel }) => tunnel.stats.roundTripMs).filter((time) => time !== undefined)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** What keeps a tunnel from coming up, for people; undefined where nothing does. */
  get trouble(): string | undefined {
    return this.replicas.length === 0 ? 'no proxy pod is ready' : this.#trouble
  }

  /** Resolves when a tunnel to every ready proxy pod is up. @throws TunnelError that no repetition can mend */
  async ready(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#refusal) throw this.#refusal
      const replicas = this.replicas
      const connected = new Set(this.connected)
      if (replicas.length > 0 && replicas.every((replica) => connected.has(replica))) return
      await this.#changed(signal)
    }
  }

  /** Begins anew where a login was refused: what it asks for is there now. */
  tryAgain(): void {
    this.#refusal = undefined
    this.#follow()
  }

  /** Resolves when a tunnel to some proxy pod is up, or when `signal` aborts. */
  async anyUp(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.connected.length === 0) await this.#changed(signal)
  }

  /**
   * Opens a stream to the nearest proxy pod that has a tunnel with room for it.
   * @throws TunnelError 'tunnel-down' where none has a tunnel; 'too-many-streams', 'tunnel-busy' where none has room
   */
  open(header: StreamHeader): TunnelStream {
    const up = this.#all.map(({ tunnel }) => tunnel).filter(({ state }) => state === 'up')
    const roundTrip = ({ stats }: Tunnel): number => stats.roundTripMs ?? Number.POSITIVE_INFINITY
    let full: unknown
    for (const tunnel of up.sort((a, b) => roundTrip(a) - roundTrip(b))) {
      try {
        return tunnel.open(header)
      } catch (error) {
        if (!withoutRoom.has(codeOf(error) ?? '')) throw error
        full ??= error
      }
    }
    throw full ?? new TunnelError('tunnel-down', `no proxy pod can be reached: ${this.trouble ?? 'connecting'}`)
  }

  async close(how: 'drain' | 'now'): Promise<void> {
    this.#closed = true
    this.#informer.stop()
    await Promise.all(this.#all.map(({ tunnel }) => tunnel.close(how)))
  }

  get #all(): { replica: string; tunnel: Tunnel }[] {
    return [...this.#tunnels.values()]
  }

  #follow(): void {
    if (this.#closed) return
    const present = new Map(this.#informer.list().map((pod) => [pod.metadata.uid ?? '', pod]))
    for (const [uid, { tunnel }] of this.#tunnels) {
      if (present.has(uid)) continue
      this.#tunnels.delete(uid)
      void tunnel.close('now', 'the proxy pod is gone')
    }
    for (const [uid, pod] of present) {
      // A pod that is not ready yet may well be by the time the carrier arrives; one that runs is dialled.
      if (this.#tunnels.has(uid) || pod.metadata.deletionTimestamp || pod.status?.phase !== 'Running') continue
      this.#connect(uid, pod.metadata.name)
    }
    this.#notify()
  }

  #connect(uid: string, replica: string): void {
    const tunnel = connectTunnel({
      dial: (lane, signal) => this.#carriers.dial({ uid, name: replica }, lane, signal),
      keys: this.#keys,
      claims: {},
      clientVersion: process.env.INTERCEPT_VERSION ?? '0.0.0',
      events: {
        onStream: (stream) => this.#events.onStream(stream),
        onState: (state, detail) => {
          if (detail.error instanceof TunnelError && detail.error.final) this.#refusal = detail.error
          this.#trouble = state === 'up' ? undefined : detail.error?.message
          if (state === 'closed' && this.#tunnels.get(uid)?.tunnel === tunnel) this.#tunnels.delete(uid)
          const carrier = state === 'up' ? this.#carriers.routeTo(uid) : undefined
          if (!this.#closed) this.#events.onState(replica, state, { ...detail, ...(carrier ? { carrier } : {}) })
          this.#notify()
          // Closed by a lost session while its pod lives: begin again.
          if (state === 'closed' && !this.#closed && !this.#refusal) setImmediate(() => this.#follow())
        },
      },
    })
    this.#tunnels.set(uid, { replica, tunnel })
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#listeners.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#listeners.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

const isReady = (pod: Pod): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
