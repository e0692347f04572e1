import { codeOf } from '../../src/errors.ts'
import type { EndpointSlice, Pod, Service } from '../../src/kube/objects.ts'
import { endpointSlices, pods, services } from '../../src/kube/resources.ts'
import type { Informer, Kube, KubeObject, ListOptions, ResourceType } from '../../src/kube/types.ts'
import { type Connection, connectionType } from '../../src/resource/connection.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { APP_NAME_LABEL, MANAGED_BY, originServiceName, PROXY_NAME, SERVICE_LABEL } from '../../src/resource/names.ts'
import { SERVICE_NAME_LABEL, SLICE_MANAGER_LABEL } from '../../src/takeover/endpoints.ts'
import { ORIGIN_SERVICE_SELECTOR } from '../../src/takeover/origin-service.ts'
import type { Observed, Replica } from '../../src/takeover/plan.ts'
import { Renewals } from './renewals.ts'
import { Workloads } from './workloads.ts'

/** `namespace/name` of a Service. */
export type ServiceKey = string

interface ServiceWatch {
  readonly service: Informer<Service>
  readonly slices: Informer<EndpointSlice>
}

/** What this replica knows of the cluster. Only Services that have to do with us are watched, not all of them. */
export class ClusterView {
  readonly #kube: Kube
  readonly #isLimited: boolean
  readonly #intercepts: Informer<Intercept>[]
  readonly #connections: Informer<Connection>[]
  readonly #renewals = new Renewals()
  readonly #origins: Informer<Service>[]
  readonly #replicaSlices: Informer<EndpointSlice>[]
  readonly #pods: Informer<Pod>
  /** What Intercepts send requests to instead of a laptop. */
  readonly workloads: Workloads
  readonly #services = new Map<ServiceKey, ServiceWatch>()
  readonly #listeners = new Set<() => void>()

  /** @param namespaces empty: all */
  constructor(kube: Kube, systemNamespace: string, namespaces: readonly string[]) {
    this.#kube = kube
    this.workloads = new Workloads(kube, (informer) => this.#follow(informer))
    this.#isLimited = namespaces.length > 0
    const inform = <T extends KubeObject>(type: ResourceType, options: ListOptions): Informer<T>[] =>
      (namespaces.length === 0 ? [undefined] : namespaces).map((namespace) =>
        this.#follow(kube.inform<T>(type, { ...options, namespace })),
      )
    this.#intercepts = inform<Intercept>(interceptType, {})
    this.#connections = inform<Connection>(connectionType, {})
    for (const informer of this.#connections) informer.onChange(() => this.#renewals.observe(this.#allConnections))
    this.#origins = inform<Service>(services, { labelSelector: ORIGIN_SERVICE_SELECTOR })
    this.#replicaSlices = inform<EndpointSlice>(endpointSlices, {
      labelSelector: `${SLICE_MANAGER_LABEL}=${MANAGED_BY}`,
    })
    this.#pods = this.#follow(
      kube.inform<Pod>(pods, { namespace: systemNamespace, labelSelector: `${APP_NAME_LABEL}=${PROXY_NAME}` }),
    )
  }

  get synced(): Promise<void> {
    const all = [...this.#intercepts, ...this.#origins, ...this.#replicaSlices, this.#pods]
    // An installation without that kind has no previews.
    const withoutKind = (error: unknown): void => {
      if (codeOf(error) !== 'not-found') tolerant(error)
    }
    // One of the namespaces that we are limited to may have been deleted: it is forbidden then, and holds nothing.
    const tolerant = (error: unknown): void => {
      if (!this.#isLimited || codeOf(error) !== 'forbidden') throw error
    }
    return Promise.all([
      ...all.map((informer) => informer.synced.catch(tolerant)),
      ...this.#connections.map((informer) => informer.synced.catch(withoutKind)),
    ]).then(() => undefined)
  }

  /** Called after any change, at most once a turn of the event loop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Intercepts that are not being deleted. */
  get intercepts(): Intercept[] {
    return this.#intercepts.flatMap((informer) => informer.list()).filter((one) => !one.metadata.deletionTimestamp)
  }

  /** Connections whose holders are there. */
  get connections(): Connection[] {
    return this.#allConnections.filter((one) => !one.metadata.deletionTimestamp && !this.#renewals.isExpired(one))
  }

  /** Those whose holders have disappeared. */
  get expiredConnections(): Connection[] {
    return this.#allConnections.filter((one) => !one.metadata.deletionTimestamp && this.#renewals.isExpired(one))
  }

  get #allConnections(): Connection[] {
    return this.#connections.flatMap((informer) => informer.list())
  }

  interceptsOf(key: ServiceKey): Intercept[] {
    return this.intercepts.filter((intercept) => serviceKeyOf(intercept) === key)
  }

  /** Every Service that an Intercept names, or that still has something of ours. */
  get serviceKeys(): Set<ServiceKey> {
    const keys = new Set(this.intercepts.map(serviceKeyOf))
    for (const object of [...this.#origins, ...this.#replicaSlices].flatMap((informer) => [...informer.list()])) {
      const { namespace, labels } = object.metadata
      const name = labels?.[SERVICE_LABEL] ?? labels?.[SERVICE_NAME_LABEL]
      if (namespace && name) keys.add(`${namespace}/${name}`)
    }
    return keys
  }

  get replicas(): Replica[] {
    return this.#pods.list().map((pod) => ({
      name: pod.metadata.name,
      uid: pod.metadata.uid ?? '',
      ready:
        pod.metadata.deletionTimestamp === undefined &&
        (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True'),
    }))
  }

  /** Starts to watch the Service where it is new. Resolves once it is known whether it exists. */
  async watchService(key: ServiceKey): Promise<void> {
    let watch = this.#services.get(key)
    if (!watch) {
      const { namespace, name } = split(key)
      watch = {
        service: this.#follow(
          this.#kube.inform<Service>(services, { namespace, fieldSelector: `metadata.name=${name}` }),
        ),
        slices: this.#follow(
          this.#kube.inform<EndpointSlice>(endpointSlices, {
            namespace,
            labelSelector: `${SERVICE_NAME_LABEL} in (${name},${originServiceName(name)})`,
          }),
        ),
      }
      this.#services.set(key, watch)
    }
    await Promise.all([watch.service.synced, watch.slices.synced])
  }

  unwatchService(key: ServiceKey): void {
    const watch = this.#services.get(key)
    this.#services.delete(key)
    watch?.service.stop()
    watch?.slices.stop()
  }

  get watchedServices(): ServiceKey[] {
    return [...this.#services.keys()]
  }

  /** Undefined where the Service does not exist or is going. Only after `watchService`. */
  observe(key: ServiceKey, wanted: boolean): Observed | undefined {
    const { namespace, name } = split(key)
    const watch = this.#services.get(key)
    const service = watch?.service.get(namespace, name)
    if (!watch || !service || service.metadata.deletionTimestamp) return undefined
    const origin = this.#origins
      .map((informer) => informer.get(namespace, originServiceName(name)))
      .find((found) => found !== undefined && !found.metadata.deletionTimestamp)
    return { service, origin, slices: watch.slices.list(), replicas: this.replicas, wanted }
  }

  stop(): void {
    for (const key of this.watchedServices) this.unwatchService(key)
    this.workloads.retain([])
    const all = [...this.#intercepts, ...this.#connections, ...this.#origins, ...this.#replicaSlices, this.#pods]
    for (const informer of all) informer.stop()
  }

  #scheduled = false

  #follow<T extends KubeObject>(informer: Informer<T>): Informer<T> {
    informer.onChange(() => {
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        for (const listener of this.#listeners) listener()
      })
    })
    return informer
  }
}

export const serviceKeyOf = (intercept: Intercept): ServiceKey =>
  `${intercept.metadata.namespace}/${intercept.spec.service}`

export const interceptKeyOf = (intercept: Intercept): string =>
  `${intercept.metadata.namespace}/${intercept.metadata.name}`

export function split(key: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}
