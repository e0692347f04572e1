import { isIP } from 'node:net'
import type { EndpointSlice, Service } from '../../src/kube/objects.ts'
import { endpointSlices, services } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { SERVICE_NAME_LABEL } from '../../src/takeover/endpoints.ts'
import { NamespaceWatch } from './namespace-watch.ts'

/** Namespaces that are watched at once; the one that was not asked for longest gives way. */
const mostWatches = 32

/**
 * Services and their endpoints as the API has them now. A namespace that has what was asked for is watched from then
 * on, so that the next answer costs nothing; what the watch does not know is asked of the API, by all askers once.
 */
export class ClusterServices {
  readonly #kube: Kube
  /** In order of last use. */
  readonly #watches = new Map<string, NamespaceWatch>()
  /** Requests that are under way. */
  readonly #asked = new Map<string, Promise<unknown>>()

  constructor(kube: Kube) {
    this.#kube = kube
  }

  /** Undefined where there is none. @throws KubeError */
  async find(namespace: string, name: string): Promise<Service | undefined> {
    const known = this.#watch(namespace)?.service(name)
    if (known) return known
    const found = await this.#once(`service ${namespace}/${name}`, () =>
      this.#kube.find<Service>(services, namespace, name),
    )
    if (found) this.#follow(namespace)
    return found
  }

  /** Those of a namespace. @throws KubeError */
  async all(namespace: string): Promise<readonly Service[]> {
    const known = this.#watch(namespace)?.services() ?? []
    if (known.length > 0) return known
    const found = await this.#once(`services ${namespace}`, () => this.#kube.list<Service>(services, { namespace }))
    if (found.length > 0) this.#follow(namespace)
    return found
  }

  /** The EndpointSlices of a Service, whoever wrote them. @throws KubeError */
  async slices(namespace: string, name: string): Promise<readonly EndpointSlice[]> {
    const known = this.#watch(namespace)?.slices(name) ?? []
    if (known.length > 0) return known
    const labelSelector = `${SERVICE_NAME_LABEL}=${name}`
    return this.#once(`slices ${namespace}/${name}`, () =>
      this.#kube.list<EndpointSlice>(endpointSlices, { namespace, labelSelector }),
    )
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.stop()
    this.#watches.clear()
  }

  #watch(namespace: string): NamespaceWatch | undefined {
    const watch = this.#watches.get(namespace)
    if (!watch) return undefined
    this.#watches.delete(namespace)
    this.#watches.set(namespace, watch)
    watch.used()
    return watch
  }

  #follow(namespace: string): void {
    if (this.#watch(namespace)) return
    const [oldest] = this.#watches
    if (oldest && this.#watches.size >= mostWatches) {
      this.#watches.delete(oldest[0])
      oldest[1].stop()
    }
    const watch = new NamespaceWatch(this.#kube, namespace, () => {
      if (this.#watches.get(namespace) === watch) this.#watches.delete(namespace)
    })
    this.#watches.set(namespace, watch)
  }

  #once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#asked.get(key)
    // A key names one kind of answer.
    if (known) return known as Promise<T>
    const asked = ask().finally(() => this.#asked.delete(key))
    this.#asked.set(key, asked)
    return asked
  }
}

/** None of a headless Service. */
export function clusterIPsOf({ spec }: Service): string[] {
  const all = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])
  return all.filter((address) => isIP(address) > 0)
}
