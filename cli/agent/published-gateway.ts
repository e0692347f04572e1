import { InterceptError } from '../../src/errors.ts'
import type { ConfigMap } from '../../src/kube/objects.ts'
import { configMaps } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { type GatewayAddress, parseGatewayAddress } from '../../src/resource/gateway-address.ts'
import { CA_CERT_KEY, CA_NAME, GATEWAY_ADDRESS_KEY } from '../../src/resource/names.ts'

/** What an installation tells laptops of its gateways. */
export interface Published {
  /** Certificate of the authority that signs theirs. */
  readonly authority: string | undefined
  /** Where they are reached past the API server. */
  readonly address: GatewayAddress | undefined
}

/** From then on it is read again, beside its use: an installation may have got another address meanwhile. */
const staleMs = 10_000

/** What is published, as it was read last: known without the API server, which may be what a dial is to get around. */
export class PublishedGateway {
  readonly #kube: Kube
  readonly #namespace: string
  #last: { readonly published: Published; readonly at: number } | undefined
  #reading: Promise<Published> | undefined

  constructor(kube: Kube, systemNamespace: string) {
    this.#kube = kube
    this.#namespace = systemNamespace
  }

  /** Waits only where nothing is known yet. @throws KubeError where it cannot be read; then the next one tries again */
  read(): Promise<Published> {
    if (!this.#last) return this.#readNow()
    // What is known holds where this fails.
    if (performance.now() - this.#last.at > staleMs) this.#readNow().catch(() => undefined)
    return Promise.resolve(this.#last.published)
  }

  #readNow(): Promise<Published> {
    this.#reading ??= this.#kube
      .find<ConfigMap>(configMaps, this.#namespace, CA_NAME)
      .then((found) => {
        const published = publishedIn(found)
        this.#last = { published, at: performance.now() }
        return published
      })
      .finally(() => {
        this.#reading = undefined
      })
    return this.#reading
  }
}

function publishedIn(found: ConfigMap | undefined): Published {
  const { [CA_CERT_KEY]: authority, [GATEWAY_ADDRESS_KEY]: text } = found?.data ?? {}
  return { authority, address: text === undefined ? undefined : addressOf(text) }
}

/** One that a newer release writes in a way which we do not know is none. */
function addressOf(text: string): GatewayAddress | undefined {
  try {
    return parseGatewayAddress(text)
  } catch (error) {
    if (error instanceof InterceptError) return undefined
    throw error
  }
}
