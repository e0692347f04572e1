import { connect as connectTls } from 'node:tls'
import { codeOf, messageOf } from '../../src/errors.ts'
import type { ConfigMap } from '../../src/kube/objects.ts'
import { configMaps } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { CA_CERT_KEY, CA_NAME, GATEWAY_PORT, GATEWAY_SERVICE } from '../../src/resource/names.ts'
import { type Carrier, dialWebSocket, TunnelError } from '../../src/tunnel/index.ts'

const TUNNEL_PATH = '/tunnel/v1'

/** Ways to a proxy pod, best first. */
export const carrierRoutes = ['pods/proxy', 'port-forward'] as const
export type CarrierRoute = (typeof carrierRoutes)[number]

/** INTERCEPT_CARRIERS narrows the ways: `port-forward`, or `pods/proxy,port-forward`. */
const allowedRoutes = (): readonly CarrierRoute[] => {
  const named = process.env.INTERCEPT_CARRIERS?.split(',')
  return named ? carrierRoutes.filter((route) => named.includes(route)) : carrierRoutes
}

/** Dials carriers to one proxy pod after another by the first way that lets us in, and remembers it. */
export class Carriers {
  readonly #kube: Kube
  readonly #namespace: string
  #route: CarrierRoute | undefined
  #ca: Promise<string | undefined> | undefined

  constructor(kube: Kube, systemNamespace: string) {
    this.#kube = kube
    this.#namespace = systemNamespace
  }

  /** The way that worked last; undefined before the first carrier. */
  get route(): CarrierRoute | undefined {
    return this.#route
  }

  /** @throws TunnelError 'gateway-forbidden' (final) where no way lets us in; any other error of the way that failed */
  async dial(pod: string, signal: AbortSignal): Promise<Carrier> {
    let last: unknown
    for (const route of this.#route ? [this.#route] : allowedRoutes()) {
      try {
        const carrier = await (route === 'pods/proxy'
          ? this.#throughProxy(pod, signal)
          : this.#throughPortForward(pod, signal))
        this.#route = route
        return carrier
      } catch (error) {
        last = error
        if (!isForbidden(error)) throw error
      }
    }
    throw new TunnelError(
      'gateway-forbidden',
      `you may not reach the proxy pods in ${this.#namespace}, neither through pods/proxy nor by port-forward: ${messageOf(last)}`,
      {
        final: true,
        cause: last,
        fix: `An administrator types: kubectl -n ${this.#namespace} create rolebinding intercept-tunnel-more --role=intercept-tunnel --user=NAME (or --group=GROUP)`,
      },
    )
  }

  async #throughProxy(pod: string, signal: AbortSignal): Promise<Carrier> {
    const path = `/api/v1/namespaces/${this.#namespace}/pods/https:${pod}:${GATEWAY_PORT}/proxy${TUNNEL_PATH}`
    const { url, headers, options } = await this.#kube.webSocketTarget(path)
    return dialWebSocket({ url, headers, options, signal })
  }

  async #throughPortForward(pod: string, signal: AbortSignal): Promise<Carrier> {
    const [socket, ca] = await Promise.all([
      this.#kube.portForward(this.#namespace, pod, GATEWAY_PORT),
      this.#authority(),
    ])
    const servername = `${GATEWAY_SERVICE}.${this.#namespace}.svc`
    const options = {
      createConnection: () => connectTls({ socket, servername, ...(ca ? { ca } : { rejectUnauthorized: false }) }),
    }
    return dialWebSocket({ url: `wss://${servername}${TUNNEL_PATH}`, headers: {}, options, signal })
  }

  /** The authority of the gateway's certificate. Without it the API server's own checks are all there is. */
  #authority(): Promise<string | undefined> {
    this.#ca ??= this.#kube
      .find<ConfigMap>(configMaps, this.#namespace, CA_NAME)
      .then((published) => published?.data?.[CA_CERT_KEY])
    return this.#ca
  }
}

/** True for an answer that another way may not get. */
function isForbidden(error: unknown): boolean {
  if (codeOf(error) === 'forbidden') return true
  return error instanceof TunnelError && (error.status === 403 || error.status === 405)
}
