import type { EndpointSlice, Service } from '../../src/kube/objects.ts'
import { endpointSlices, services } from '../../src/kube/resources.ts'
import type { Informer, Kube, KubeObject } from '../../src/kube/types.ts'
import { SERVICE_NAME_LABEL } from '../../src/takeover/endpoints.ts'

/** A watch that nobody asked ends after so long, in milliseconds. */
const unusedMs = 60_000

/** The Services of a namespace and their endpoints, followed while somebody asks for them. */
export class NamespaceWatch {
  readonly #namespace: string
  readonly #services: Followed<Service>
  readonly #slices: Followed<EndpointSlice>
  readonly #timer: NodeJS.Timeout

  /** @param onUnused it has stopped, nobody asked */
  constructor(kube: Kube, namespace: string, onUnused: () => void) {
    this.#namespace = namespace
    this.#services = new Followed(kube.inform<Service>(services, { namespace }))
    this.#slices = new Followed(kube.inform<EndpointSlice>(endpointSlices, { namespace }))
    this.#timer = setTimeout(() => {
      this.stop()
      onUnused()
    }, unusedMs).unref()
  }

  /** Puts off its end. */
  used(): void {
    this.#timer.refresh()
  }

  /** Undefined where there is none, or it is not known now. */
  service(name: string): Service | undefined {
    const found = this.#services.known?.get(this.#namespace, name)
    return found?.metadata.deletionTimestamp ? undefined : found
  }

  /** Undefined where they are not known now. */
  services(): readonly Service[] | undefined {
    return this.#services.known?.list()
  }

  /** Undefined where they are not known now. */
  slices(service: string): readonly EndpointSlice[] | undefined {
    return this.#slices.known?.list().filter(({ metadata }) => metadata.labels?.[SERVICE_NAME_LABEL] === service)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#services.stop()
    this.#slices.stop()
  }
}

/** An informer, and whether what it has is all that there is. */
class Followed<T extends KubeObject> {
  readonly #informer: Informer<T>
  #synced = false

  constructor(informer: Informer<T>) {
    this.#informer = informer
    informer.synced.then(
      () => {
        this.#synced = true
      },
      // Where it may not be watched, each is asked for by itself.
      () => informer.stop(),
    )
  }

  get known(): Informer<T> | undefined {
    return this.#synced && this.#informer.fresh ? this.#informer : undefined
  }

  stop(): void {
    this.#informer.stop()
  }
}
