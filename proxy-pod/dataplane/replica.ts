import { messageOf } from '../../src/errors.ts'
import type { ForwardingOptions } from '../../src/http/forwarding-fields.ts'
import type { EndpointSlice } from '../../src/kube/objects.ts'
import { endpointSlices } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { Log } from '../../src/log.ts'
import type { Intercept } from '../../src/resource/intercept.ts'
import { accept } from '../../src/takeover/acceptance.ts'
import { originSlices, replicaSlices } from '../../src/takeover/endpoints.ts'
import {
  deadSlice,
  isKubernetesBack,
  isOriginSynced,
  nextStep,
  type Observed,
  replicaUid,
} from '../../src/takeover/plan.ts'
import { carryOut } from '../../src/takeover/steps.ts'
import { type ClusterView, interceptKeyOf, type ServiceKey } from '../controller/cluster-view.ts'
import { headlessPortsOf } from '../controller/headless-ports.ts'
import type { TlsSecrets } from '../controller/tls-secrets.ts'
import type { TunnelRegistry } from '../gateway/tunnels.ts'
import { Claims } from './claims.ts'
import { isPublished, type Publisher, publish, slicesOf } from './publish.ts'
import type { Claim } from './route.ts'
import { ServiceDataplane } from './service-dataplane.ts'
import type { TrafficCounter } from './traffic.ts'

export const replicaLimits = {
  /** How long publishing waits for the holder's tunnel, so that the first request already finds it. */
  tunnelWaitMs: 2_000,
  /** How long a laptop may take to accept a connection before it goes to the origin. */
  acceptTimeoutMs: 1_500,
  /** How long kube-proxy and its kin may take to follow a slice that is gone; we listen on for so long. */
  propagationMs: 5_000,
  /** How long connections may stay with a laptop whose Intercept is gone. */
  drainMs: 10_000,
  resyncMs: 5_000,
}

interface Held {
  readonly dataplane: ServiceDataplane
  readonly wantedSince: number
  readonly book: Claims
  claims: ReadonlyMap<number, readonly Claim[]>
  drainTimer: NodeJS.Timeout | undefined
}

/** This replica's share of the takeovers: listens, publishes itself, withdraws. Never changes a Service, but at its own end. */
export class Replica {
  readonly #kube: Kube
  readonly #view: ClusterView
  readonly #tunnels: TunnelRegistry
  readonly #tlsSecrets: TlsSecrets
  readonly #pod: Publisher
  readonly #host: string | undefined
  readonly #log: Log
  readonly #traffic: (service: ServiceKey, port: number) => TrafficCounter
  readonly #forwarding: ForwardingOptions | undefined
  readonly #held = new Map<ServiceKey, Held>()
  /** Of Services that were given back: listeners closed, connections still open. */
  readonly #lingering = new Set<ServiceDataplane>()
  /** Names of the slices that we wrote, also those that our watch has not shown yet. */
  readonly #published = new Map<ServiceKey, Set<string>>()
  readonly #busy = new Map<ServiceKey, { again: boolean }>()
  readonly #timers = new Map<ServiceKey, NodeJS.Timeout>()
  readonly #failures = new Map<ServiceKey, { readonly text: string; readonly count: number }>()
  #leaving = false
  #stopped = false
  readonly #idleListeners = new Set<() => void>()

  constructor(parts: {
    kube: Kube
    view: ClusterView
    tunnels: TunnelRegistry
    tlsSecrets: TlsSecrets
    pod: Publisher
    host: string | undefined
    log: Log
    traffic: (service: ServiceKey, port: number) => TrafficCounter
    forwarding?: ForwardingOptions | undefined
  }) {
    this.#forwarding = parts.forwarding
    this.#kube = parts.kube
    this.#view = parts.view
    this.#tunnels = parts.tunnels
    this.#tlsSecrets = parts.tlsSecrets
    this.#pod = parts.pod
    this.#host = parts.host
    this.#log = parts.log
    this.#traffic = parts.traffic
    parts.tunnels.onChange(() => this.#tunnelsChanged())
  }

  get services(): number {
    return this.#held.size
  }

  get connections(): number {
    let count = 0
    for (const dataplane of this.#dataplanes) count += dataplane.connections
    return count
  }

  get #dataplanes(): ServiceDataplane[] {
    return [...[...this.#held.values()].map(({ dataplane }) => dataplane), ...this.#lingering]
  }

  /** Something changed in the cluster. */
  wake(): void {
    this.#view.workloads.retain(
      this.#view.intercepts.flatMap(({ metadata, spec }) =>
        spec.to ? [{ namespace: metadata.namespace, workload: spec.to }] : [],
      ),
    )
    this.#tlsSecrets.retain(
      this.#view.intercepts.flatMap(({ metadata, spec }) =>
        spec.tls ? [{ namespace: metadata.namespace, name: spec.tls.secretName }] : [],
      ),
    )
    const keys = new Set([...this.#view.serviceKeys, ...this.#held.keys(), ...this.#view.watchedServices])
    for (const key of keys) this.#sync(key)
  }

  /** Withdraws from every Service without leaving one unanswered; resolves when nothing of ours is published. */
  leave(): Promise<void> {
    this.#leaving = true
    this.wake()
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.#publishedAnywhere()) return
        this.#idleListeners.delete(check)
        resolve()
      }
      this.#idleListeners.add(check)
      check()
    })
  }

  stopAccepting(): void {
    for (const { dataplane } of this.#held.values()) dataplane.stopAccepting()
  }

  close(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    for (const { drainTimer } of this.#held.values()) clearTimeout(drainTimer)
    for (const dataplane of this.#dataplanes) dataplane.close()
    this.#held.clear()
    this.#lingering.clear()
  }

  #tunnelsChanged(): void {
    for (const [key, held] of this.#held) {
      held.dataplane.setClaims(held.claims)
      this.#sync(key)
    }
  }

  #sync(key: ServiceKey): void {
    if (this.#stopped) return
    const busy = this.#busy.get(key)
    if (busy) {
      busy.again = true
      return
    }
    const run = { again: false }
    this.#busy.set(key, run)
    clearTimeout(this.#timers.get(key))
    this.#once(key)
      .then(
        (recheckMs) => {
          this.#failures.delete(key)
          return recheckMs
        },
        (error: unknown) => {
          const before = this.#failures.get(key)
          const text = messageOf(error)
          if (before?.text !== text)
            this.#log.warn({ err: error, service: key }, `this replica cannot follow the Service: ${text}`)
          const count = (before?.count ?? 0) + 1
          this.#failures.set(key, { text, count })
          return Math.min(replicaLimits.resyncMs, 100 * 2 ** count)
        },
      )
      .then((recheckMs) => {
        this.#busy.delete(key)
        for (const check of this.#idleListeners) check()
        if (this.#stopped) return
        if (run.again) return this.#sync(key)
        if (recheckMs !== undefined)
          this.#timers.set(
            key,
            setTimeout(() => this.#sync(key), recheckMs),
          )
      })
  }

  /** @returns when to look again though nothing changed, in milliseconds. */
  async #once(key: ServiceKey): Promise<number | undefined> {
    // Watching it anew would bring news of it, which would have it looked at again, and so on.
    if (!this.#view.serviceKeys.has(key) && !this.#held.has(key) && !this.#published.has(key)) {
      this.#view.unwatchService(key)
      return undefined
    }
    await this.#view.watchService(key)
    const intercepts = this.#view.interceptsOf(key)
    const { accepted } = accept(this.#view.observe(key, false)?.service, intercepts, headlessPortsOf(this.#view, key))
    const wanted = accepted.length > 0 && !this.#leaving
    const observed = this.#view.observe(key, wanted)
    if (!observed) {
      this.#forget(key)
      return undefined
    }
    const dead = deadSlice(observed)
    if (dead !== undefined && !this.#leaving) {
      await this.#kube.delete(endpointSlices, observed.service.metadata.namespace, dead)
      this.#log.info({ service: key, slice: dead }, 'removed the slice of a dead replica')
    }
    if (wanted) return this.#serve(key, observed, accepted)
    return this.#withdraw(key, observed, this.#leaving ? accepted : [])
  }

  async #serve(key: ServiceKey, observed: Observed, accepted: readonly Intercept[]): Promise<number | undefined> {
    let held = this.#held.get(key)
    // Until Kubernetes has filled a new origin Service, what we know of an earlier one is better than nothing.
    if (!isOriginSynced(observed)) {
      if (held) this.#claim(held, accepted)
      return replicaLimits.resyncMs
    }
    if (!held) {
      held = {
        dataplane: new ServiceDataplane(key, this.#host, (port) => this.#traffic(key, port), this.#forwarding),
        wantedSince: Date.now(),
        book: this.#newClaims(),
        claims: new Map(),
        drainTimer: undefined,
      }
      this.#held.set(key, held)
    }
    clearTimeout(held.drainTimer)
    held.drainTimer = undefined
    await held.dataplane.update(observed.service, originSlices(observed.slices, observed.origin))
    // The first request must find the certificate too.
    for (const { metadata, spec } of accepted)
      if (spec.tls) await this.#tlsSecrets.trouble(metadata.namespace, spec.tls.secretName)
    this.#claim(held, accepted)
    const self = observed.replicas.find((replica) => replica.uid === this.#pod.uid)
    if (!self?.ready) return replicaLimits.resyncMs
    const waited = Date.now() - held.wantedSince
    if (waited < replicaLimits.tunnelWaitMs && !accepted.every((intercept) => this.#isReachable(intercept))) {
      return replicaLimits.tunnelWaitMs - waited
    }
    for (const slice of slicesOf(observed.service, held.dataplane.publishedPorts, this.#pod)) {
      if (isPublished(slice, observed.slices)) continue
      // Before the request: its answer, and the watch, may come after SIGTERM has.
      const names = this.#published.get(key) ?? new Set<string>()
      this.#published.set(key, names.add(slice.metadata.name))
      await publish(this.#kube, slice)
      this.#log.info({ service: key, slice: slice.metadata.name }, 'published')
    }
    return replicaLimits.resyncMs
  }

  /** Nobody wants the Service any more, or this replica is about to end. */
  async #withdraw(
    key: ServiceKey,
    observed: Observed,
    stillClaimed: readonly Intercept[],
  ): Promise<number | undefined> {
    const held = this.#held.get(key)
    if (held) {
      // The origin Service goes before we do: what it last said holds.
      if (isOriginSynced(observed))
        await held.dataplane.update(observed.service, originSlices(observed.slices, observed.origin))
      this.#claim(held, stillClaimed)
    }
    const own = replicaSlices(observed.slices, observed.service.metadata.name).filter(
      (slice) => replicaUid(slice) === this.#pod.uid,
    )
    const names = new Set([...own.map(({ metadata }) => metadata.name), ...(this.#published.get(key) ?? [])])
    if (names.size > 0) {
      if (this.#isAnsweredWithoutUs(observed, own)) {
        for (const name of names) await this.#kube.delete(endpointSlices, observed.service.metadata.namespace, name)
        this.#published.delete(key)
        this.#log.info({ service: key }, 'withdrawn')
      } else if (this.#leaving) {
        // Nobody else is there to answer: the Service goes back to the origin first. The next leader takes it again.
        await carryOut(this.#kube, observed.service, nextStep({ ...observed, wanted: false }))
      }
      return 200
    }
    if (!held) return undefined
    held.drainTimer ??= setTimeout(() => this.#endDrain(key, held), replicaLimits.propagationMs)
    return undefined
  }

  #isAnsweredWithoutUs(observed: Observed, own: readonly EndpointSlice[]): boolean {
    if (isKubernetesBack(observed)) return true
    if (!this.#leaving) return false
    const ready = new Set(observed.replicas.filter((replica) => replica.ready).map((replica) => replica.uid))
    return replicaSlices(observed.slices, observed.service.metadata.name).some(
      (slice) => !own.includes(slice) && ready.has(replicaUid(slice) ?? ''),
    )
  }

  /**
   * The cluster has had time to notice: no new connections come. Open ones go on for as long as they like, apart from
   * the Service: it may be taken over anew meanwhile.
   */
  #endDrain(key: ServiceKey, held: Held): void {
    held.dataplane.stopAccepting()
    if (this.#leaving) return
    this.#held.delete(key)
    const lingering = held.dataplane
    this.#lingering.add(lingering)
    const look = (): void => {
      lingering.resetLaptopConnections()
      if (lingering.connections > 0) return void setTimeout(look, replicaLimits.resyncMs).unref()
      lingering.close()
      this.#lingering.delete(lingering)
    }
    setTimeout(look, replicaLimits.drainMs - replicaLimits.propagationMs).unref()
    this.#forget(key)
  }

  #forget(key: ServiceKey): void {
    const held = this.#held.get(key)
    clearTimeout(held?.drainTimer)
    clearTimeout(this.#timers.get(key))
    this.#timers.delete(key)
    this.#held.delete(key)
    this.#published.delete(key)
    held?.dataplane.close()
    if (!this.#view.serviceKeys.has(key)) this.#view.unwatchService(key)
  }

  #claim(held: Held, accepted: readonly Intercept[]): void {
    held.claims = held.book.of(accepted)
    held.dataplane.setClaims(held.claims)
  }

  #newClaims(): Claims {
    return new Claims({
      acceptTimeoutMs: replicaLimits.acceptTimeoutMs,
      tunnelOf: (intercept) => this.#tunnels.get(intercept),
      endpointsOf: ({ metadata, spec }, port) =>
        spec.to ? this.#view.workloads.endpoints(metadata.namespace, spec.to, port) : [],
      certificateOf: (namespace, name) => this.#tlsSecrets.certificate(namespace, name),
    })
  }

  #isReachable(intercept: Intercept): boolean {
    if (intercept.spec.to) return true
    return intercept.status?.phase === 'Disconnected' || this.#tunnels.get(interceptKeyOf(intercept))?.state === 'up'
  }

  #publishedAnywhere(): boolean {
    if (this.#published.size > 0) return true
    return [...this.#view.serviceKeys].some((key) => {
      const observed = this.#view.observe(key, false)
      return (
        observed !== undefined &&
        replicaSlices(observed.slices, observed.service.metadata.name).some((one) => replicaUid(one) === this.#pod.uid)
      )
    })
  }
}
