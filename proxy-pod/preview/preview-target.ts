import type { EndpointSlice, Service } from '../../src/kube/objects.ts'
import { endpointSlices, services } from '../../src/kube/resources.ts'
import type { Informer, Kube } from '../../src/kube/types.ts'
import { originEndpoints, SERVICE_NAME_LABEL } from '../../src/takeover/endpoints.ts'
import { OriginBalancer } from '../dataplane/origin-balancer.ts'
import { Denied, isLoopback } from '../outbound/denied.ts'
import type { PreviewOptions } from './preview-host.ts'

/** What is denied to everybody. A pod on loopback is one of a cluster on one machine. */
const denied = new Denied({ ips: [], gatewayPort: 0 })

/**
 * Follows where the previewed Service is asked: at its ClusterIP, so that whoever intercepts it is asked too; of a
 * headless Service at its published endpoints.
 */
export class PreviewTarget {
  readonly balancer = new OriginBalancer()
  readonly #options: PreviewOptions
  readonly #service: Informer<Service>
  readonly #slices: Informer<EndpointSlice>
  #why: string | undefined

  constructor(kube: Kube, options: PreviewOptions) {
    const { namespace, service } = options
    this.#options = options
    this.#service = kube.inform<Service>(services, { namespace, fieldSelector: `metadata.name=${service}` })
    this.#slices = kube.inform<EndpointSlice>(endpointSlices, {
      namespace,
      labelSelector: `${SERVICE_NAME_LABEL}=${service}`,
    })
    this.#service.onChange(() => this.#update())
    this.#slices.onChange(() => this.#update())
    this.#update()
  }

  /** Rejects with a KubeError where the Service may not be read. */
  async synced(): Promise<void> {
    await Promise.all([this.#service.synced, this.#slices.synced])
    this.#update()
  }

  /** Why nobody can be asked; undefined where somebody can. */
  get whyNot(): string | undefined {
    return this.#why
  }

  stop(): void {
    this.#service.stop()
    this.#slices.stop()
  }

  #update(): void {
    const { namespace, service } = this.#options
    const found = addressesOf(this.#service.get(namespace, service), this.#slices.list(), this.#options)
    this.#why = typeof found === 'string' ? found : undefined
    this.balancer.update(typeof found === 'string' ? [] : found, false)
  }
}

/** Where the Service is asked, or why it cannot be. */
function addressesOf(
  service: Service | undefined,
  slices: readonly EndpointSlice[],
  { namespace, service: name, port }: PreviewOptions,
): { address: string; port: number }[] | string {
  if (!service) return `Service ${namespace}/${name} does not exist`
  const found = (service.spec.ports ?? []).find((one) => one.port === port && (one.protocol ?? 'TCP') === 'TCP')
  if (!found) return `Service ${namespace}/${name} has no TCP port ${port}`
  if (service.spec.type === 'ExternalName') return `Service ${namespace}/${name} is an alias of another host`
  const { clusterIP } = service.spec
  if (clusterIP !== undefined && clusterIP !== 'None' && clusterIP !== '') return [{ address: clusterIP, port }]
  // Whoever writes EndpointSlices could lead us elsewhere.
  const endpoints = originEndpoints(slices, { name: found.name, protocol: 'TCP' }).filter(
    (endpoint) => isLoopback(endpoint.address) || denied.why(endpoint.address, endpoint.port) === undefined,
  )
  return endpoints.length > 0 ? endpoints : `Service ${namespace}/${name} has no ready pod`
}
