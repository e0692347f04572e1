import { codeOf, messageOf } from '../src/errors.ts'
import type { Kube } from '../src/kube/types.ts'
import type { Log } from '../src/log.ts'
import { type InterceptReplica, interceptType } from '../src/resource/intercept.ts'
import { API_VERSION } from '../src/resource/names.ts'
import { type ClusterView, interceptKeyOf, split } from './controller/cluster-view.ts'
import type { TunnelRegistry } from './gateway/tunnels.ts'

export const statusLimits = {
  /** Counters are written at most so often, in milliseconds; a tunnel that comes or goes at once. */
  countersMs: 5_000,
  /** `lastSeen` of a connected, silent laptop is renewed so often. */
  heartbeatMs: 30_000,
}

/** Writes this replica's entry into the status of the Intercepts that have a tunnel here. */
export class ReplicaStatus {
  readonly #kube: Kube
  readonly #view: ClusterView
  readonly #tunnels: TunnelRegistry
  readonly #pod: { name: string; uid: string }
  readonly #log: Log
  readonly #written = new Map<string, { entry: InterceptReplica; at: number }>()
  readonly #timer: NodeJS.Timeout
  #running = false
  #again = false

  constructor(parts: {
    kube: Kube
    view: ClusterView
    tunnels: TunnelRegistry
    pod: { name: string; uid: string }
    log: Log
  }) {
    this.#kube = parts.kube
    this.#view = parts.view
    this.#tunnels = parts.tunnels
    this.#pod = parts.pod
    this.#log = parts.log
    parts.tunnels.onChange(() => void this.#run())
    this.#timer = setInterval(() => void this.#run(), statusLimits.countersMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #run(): Promise<void> {
    if (this.#running) {
      this.#again = true
      return
    }
    this.#running = true
    do {
      this.#again = false
      const existing = new Set(this.#view.intercepts.map(interceptKeyOf))
      for (const key of this.#written.keys()) if (!existing.has(key)) this.#written.delete(key)
      for (const key of existing) await this.#write(key)
    } while (this.#again)
    this.#running = false
  }

  async #write(key: string): Promise<void> {
    const before = this.#written.get(key)
    const tunnel = this.#tunnels.get(key)
    if (!tunnel && !before?.entry.connected) return
    const connected = tunnel?.state === 'up'
    const { streams = 0, bytesIn = 0, bytesOut = 0 } = tunnel?.stats ?? {}
    const now = Date.now()
    const hasChanged = before?.entry.connected !== connected
    const hasTraffic =
      before?.entry.bytesIn !== bytesIn || before.entry.bytesOut !== bytesOut || before.entry.streams !== streams
    const age = now - (before?.at ?? 0)
    if (
      !hasChanged &&
      !(hasTraffic && age >= statusLimits.countersMs) &&
      !(connected && age >= statusLimits.heartbeatMs)
    )
      return
    const entry: InterceptReplica = {
      name: this.#pod.name,
      uid: this.#pod.uid,
      connected,
      streams,
      bytesIn,
      bytesOut,
      lastSeen: new Date(connected || hasChanged ? now : (before?.at ?? now)).toISOString(),
    }
    const { namespace, name } = split(key)
    try {
      await this.#kube.patch(
        interceptType,
        namespace,
        name,
        { apiVersion: API_VERSION, kind: 'Intercept', metadata: { name, namespace }, status: { replicas: [entry] } },
        { type: 'apply', fieldManager: `intercept-${this.#pod.name}`, force: true, subresource: 'status' },
      )
      this.#written.set(key, { entry, at: now })
    } catch (error) {
      if (codeOf(error) !== 'not-found')
        this.#log.warn({ err: error, intercept: key }, `status not written: ${messageOf(error)}`)
    }
  }
}
