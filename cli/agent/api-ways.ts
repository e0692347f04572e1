import { connect as connectTls } from 'node:tls'
import { codeOf, messageOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { GATEWAY_PORT, gatewayServerName, TUNNEL_PATH } from '../../src/resource/names.ts'
import { type Carrier, dialWebSocket, TunnelError } from '../../src/tunnel/index.ts'
import type { PublishedGateway } from './published-gateway.ts'

/** Ways through the API server, best first. */
export const apiRoutes = ['pods/proxy', 'port-forward'] as const
export type ApiRoute = (typeof apiRoutes)[number]

/** Dials by the first way through the API server that lets us in, and remembers it. */
export class ApiWays {
  readonly #kube: Kube
  readonly #namespace: string
  readonly #allowed: readonly ApiRoute[]
  readonly #published: PublishedGateway
  #route: ApiRoute | undefined

  constructor(kube: Kube, systemNamespace: string, allowed: readonly ApiRoute[], published: PublishedGateway) {
    this.#kube = kube
    this.#namespace = systemNamespace
    this.#allowed = allowed
    this.#published = published
  }

  /** The way that worked last. */
  get route(): ApiRoute | undefined {
    return this.#route
  }

  /** @throws TunnelError 'gateway-forbidden' (final) where no way lets us in; any other error of the way that failed */
  async dial(pod: string, signal: AbortSignal): Promise<Carrier> {
    let last: unknown
    for (const route of this.#route ? [this.#route] : this.#allowed) {
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
    const [socket, { authority: ca }] = await Promise.all([
      this.#kube.portForward(this.#namespace, pod, GATEWAY_PORT),
      this.#published.read(),
    ])
    const servername = gatewayServerName(this.#namespace)
    // Without the authority the API server's own checks are all there is.
    const options = {
      createConnection: () => connectTls({ socket, servername, ...(ca ? { ca } : { rejectUnauthorized: false }) }),
    }
    return dialWebSocket({ url: `wss://${servername}${TUNNEL_PATH}`, headers: {}, options, signal })
  }
}

/** True for an answer that another way may not get. */
function isForbidden(error: unknown): boolean {
  if (codeOf(error) === 'forbidden') return true
  return error instanceof TunnelError && (error.status === 403 || error.status === 405)
}
