import type { EndpointSlice, Pod, Service } from '../../src/kube/objects.ts'
import { endpointSlices, pods, services } from '../../src/kube/resources.ts'
import type { Informer, Kube, KubeObject } from '../../src/kube/types.ts'
import type { InterceptWorkload } from '../../src/resource/intercept.ts'
import { originServiceName } from '../../src/resource/names.ts'
import {
  type OriginEndpoint,
  originEndpoints,
  replicaSlices,
  SERVICE_NAME_LABEL,
} from '../../src/takeover/endpoints.ts'

interface Watch {
  readonly informers: readonly Informer<KubeObject>[]
  endpoints(port: number): OriginEndpoint[]
}

/** The workloads that Intercepts send requests to: where they can be reached now. */
export class Workloads {
  readonly #kube: Kube
  readonly #follow: <T extends KubeObject>(informer: Informer<T>) => Informer<T>
  readonly #watches = new Map<string, Watch>()

  /** @param follow tells everybody who wants to know of changes */
  constructor(kube: Kube, follow: <T extends KubeObject>(informer: Informer<T>) => Informer<T>) {
    this.#kube = kube
    this.#follow = follow
  }

  /** Where a port of the workload can be reached; starts to watch it where it is new. Of a Service: its own pods,
   * whether or not it is taken over, so that two Services that lead to each other never lead in a circle. */
  endpoints(namespace: string, workload: InterceptWorkload, port: number): OriginEndpoint[] {
    const key = keyOf(namespace, workload)
    let watch = this.#watches.get(key)
    if (!watch) {
      watch = workload.kind === 'Pod' ? this.#pod(namespace, workload.name) : this.#service(namespace, workload.name)
      this.#watches.set(key, watch)
    }
    return watch.endpoints(workload.port ?? port)
  }

  /** Stops to watch all others. */
  retain(wanted: readonly { readonly namespace: string; readonly workload: InterceptWorkload }[]): void {
    const keys = new Set(wanted.map(({ namespace, workload }) => keyOf(namespace, workload)))
    for (const [key, { informers }] of this.#watches) {
      if (keys.has(key)) continue
      for (const informer of informers) informer.stop()
      this.#watches.delete(key)
    }
  }

  #pod(namespace: string, name: string): Watch {
    const informer = this.#follow(this.#kube.inform<Pod>(pods, { namespace, fieldSelector: `metadata.name=${name}` }))
    return {
      informers: [informer],
      endpoints: (port) => {
        const pod = informer.get(namespace, name)
        const address = pod?.status?.podIP
        const isReady = pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
        return address !== undefined && isReady ? [{ address, port }] : []
      },
    }
  }

  #service(namespace: string, name: string): Watch {
    const service = this.#follow(
      this.#kube.inform<Service>(services, { namespace, fieldSelector: `metadata.name=${name}` }),
    )
    const slices = this.#follow(
      this.#kube.inform<EndpointSlice>(endpointSlices, {
        namespace,
        labelSelector: `${SERVICE_NAME_LABEL} in (${name},${originServiceName(name)})`,
      }),
    )
    return {
      informers: [service, slices],
      endpoints: (port) => {
        const found = service
          .get(namespace, name)
          ?.spec.ports?.find((one) => one.port === port && (one.protocol ?? 'TCP') === 'TCP')
        if (!found) return []
        const ours = new Set(replicaSlices(slices.list(), name))
        const own = slices.list().filter((slice) => !ours.has(slice))
        return originEndpoints(own, { name: found.name, protocol: 'TCP' })
      },
    }
  }
}

const keyOf = (namespace: string, { kind, name }: InterceptWorkload): string => `${kind} ${namespace}/${name}`
