import { renameSync, writeFileSync } from 'node:fs'
import type { KubeObject } from '../../../../src/kube/types.ts'
import { dictOf, dig, listOf } from '../json.ts'
import type { Store } from '../store/store.ts'
import type { ServiceProxy } from './service-proxy.ts'

const domain = 'svc.cluster.local'

/**
 * The cluster's DNS, as a file that pods read: names of Services and of pods behind headless ones, and where addresses
 * really listen. Written again, at most once a turn of the event loop, when one of them changes.
 */
export class NameFile {
  readonly #file: string
  readonly #store: Store
  readonly #proxy: ServiceProxy
  readonly #stop: () => void
  #scheduled = false
  #closed = false
  #last = ''

  constructor(file: string, store: Store, proxy: ServiceProxy) {
    this.#file = file
    this.#store = store
    this.#proxy = proxy
    proxy.onAddress = () => this.#schedule()
    this.#stop = store.onEvent(({ resource }) => {
      if (resource === 'services' || resource === 'endpointslices.discovery.k8s.io') this.#schedule()
    })
    this.#schedule()
  }

  /** Writes now what is not yet written. */
  flush(): void {
    if (this.#closed) return
    const text = JSON.stringify({ hosts: this.#hosts(), ports: this.#proxy.redirects() })
    if (text === this.#last) return
    this.#last = text
    writeFileSync(`${this.#file}.new`, text)
    renameSync(`${this.#file}.new`, this.#file)
  }

  close(): void {
    this.#closed = true
    this.#stop()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.flush()
    })
  }

  #hosts(): Record<string, string[]> {
    const hosts: Record<string, string[]> = {}
    for (const service of this.#store.list('services')) {
      const { name, namespace } = service.metadata
      const full = `${name}.${namespace}.${domain}`
      const clusterIp = dig(service, 'spec', 'clusterIP')
      if (typeof clusterIp === 'string' && clusterIp !== '' && clusterIp !== 'None') hosts[full] = [clusterIp]
      else if (clusterIp === 'None') Object.assign(hosts, this.#headless(service, full))
    }
    return hosts
  }

  #headless(service: KubeObject, full: string): Record<string, string[]> {
    const hosts: Record<string, string[]> = { [full]: [] }
    const unready = dig(service, 'spec', 'publishNotReadyAddresses') === true
    for (const slice of this.#store.list('endpointslices.discovery.k8s.io', service.metadata.namespace)) {
      if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service.metadata.name) continue
      for (const endpoint of listOf(dig(slice, 'endpoints')).map(dictOf)) {
        if (dictOf(endpoint.conditions).ready === false && !unready) continue
        const addresses = listOf(endpoint.addresses).map(String)
        hosts[full] = [...new Set([...(hosts[full] ?? []), ...addresses])]
        if (typeof endpoint.hostname === 'string') hosts[`${endpoint.hostname}.${full}`] = addresses
      }
    }
    return hosts
  }
}
