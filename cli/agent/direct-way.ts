import { createSecureContext, type SecureContext } from 'node:tls'
import { codeOf, InterceptError, messageOf } from '../../src/errors.ts'
import { authorityName } from '../../src/resource/authority-name.ts'
import { gatewayUrl } from '../../src/resource/gateway-address.ts'
import { FOR_AUTHORITY_HEADER, FOR_POD_HEADER, gatewayServerName } from '../../src/resource/names.ts'
import { type Carrier, dialWebSocket, TunnelError } from '../../src/tunnel/index.ts'
import { gatewayIdentity } from './gateway-identity.ts'
import type { PublishedGateway } from './published-gateway.ts'
import { trustedAuthorities } from './trusted-authorities.ts'

/** What the dial fails with where the installation has no address for it, or does not tell this person. */
export const DIRECT_NOT_OFFERED = 'direct-not-offered'

/** Past the API server, to the address that the installation publishes. */
export class DirectWay {
  readonly #published: PublishedGateway
  readonly #service: string
  readonly #machineTrusts: () => string[]
  #trusted: { readonly authority: string | undefined; readonly context: SecureContext } | undefined

  /** @param machineTrusts certificates of authorities that are good for an address besides the installation's own */
  constructor(published: PublishedGateway, systemNamespace: string, machineTrusts = trustedAuthorities) {
    this.#published = published
    this.#machineTrusts = machineTrusts
    this.#service = gatewayServerName(systemNamespace)
  }

  /** @throws InterceptError DIRECT_NOT_OFFERED; KubeError; TunnelError whose message names the address */
  async dial(pod: string, signal: AbortSignal): Promise<Carrier> {
    const { address, authority } = await this.#published.read().catch((cause: unknown) => {
      if (codeOf(cause) !== 'forbidden') throw cause
      throw new InterceptError(DIRECT_NOT_OFFERED, `its address may not be read: ${messageOf(cause)}`, { cause })
    })
    if (!address) throw new InterceptError(DIRECT_NOT_OFFERED, 'the installation has no address for it')
    const url = gatewayUrl(address, pod)
    const headers = {
      [FOR_POD_HEADER]: pod,
      ...(authority === undefined ? {} : { [FOR_AUTHORITY_HEADER]: authorityName(authority) }),
    }
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
    const options = {
      secureContext: this.#trust(authority),
      checkServerIdentity: gatewayIdentity(host, this.#service, authority),
    }
    try {
      return await dialWebSocket({ url, headers, options, signal })
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error
      const { code, status, detail, cause } = error
      const said = status === 421 && detail ? detail : error.message
      throw new TunnelError(code, `${url}: ${said}`, { status, detail, cause })
    }
  }

  /** Made once: it holds every authority of this machine. */
  #trust(authority: string | undefined): SecureContext {
    if (!this.#trusted || this.#trusted.authority !== authority) {
      const ca = [...this.#machineTrusts(), ...(authority === undefined ? [] : [authority])]
      this.#trusted = { authority, context: createSecureContext({ ca }) }
    }
    return this.#trusted.context
  }
}

/**
 * True for a failure that is no matter of the network: somebody answers at the address, and it is not the gateway that
 * was meant. What an Ingress says while a pod starts (5xx) is none.
 */
export function leadsAstray(error: unknown): boolean {
  if (!(error instanceof TunnelError)) return false
  if (error.status !== undefined) return error.status < 500
  return /CERT|ALTNAME|ISSUER|_CA_|SIGNATURE|^ERR_SSL|^EPROTO/.test(codeOf(error.cause) ?? '')
}
