import { InterceptError } from '../src/errors.ts'
import { type ForwardingOptions, forwardedHeaders, forwardingOf } from '../src/http/forwarding-fields.ts'
import { type GatewayAddress, parseGatewayAddress } from '../src/resource/gateway-address.ts'
import { DEFAULT_SYSTEM_NAMESPACE, GATEWAY_PORT, PREVIEW_PORT } from '../src/resource/names.ts'
import { parseOutboundRule } from '../src/resource/outbound-rule.ts'
import type { OutboundRules } from './outbound/narrowed.ts'
import type { PreviewOptions } from './preview/preview-host.ts'

/** What a proxy pod is told through its environment. */
export interface ProxyPodConfig {
  readonly pod: { readonly name: string; readonly uid: string; readonly ips: readonly string[] }
  /** Where the proxy pods live. */
  readonly systemNamespace: string
  /** The namespaces that it may act in; empty: all. */
  readonly namespaces: readonly string[]
  /** Address to listen on; undefined: all. */
  readonly host: string | undefined
  readonly gatewayPort: number
  /** Where laptops reach the gateways past the API server; undefined: nowhere. */
  readonly gatewayAddress: GatewayAddress | undefined
  /** Preview host names; undefined: none. */
  readonly preview: PreviewOptions | undefined
  readonly previewPort: number
  /** What requests that are followed one by one are told of the way that they came; undefined: nothing. */
  readonly forwarding: ForwardingOptions | undefined
  /** What laptops may reach, besides what nobody may. */
  readonly outbound: OutboundRules
  readonly logLevel: string
  /** For tests: see fault-point.ts. */
  readonly faultPoints: readonly string[]
}

/** @throws InterceptError 'proxy-misconfigured', 'bad-outbound-rule', 'bad-gateway-address' */
export function configFrom(env: NodeJS.ProcessEnv): ProxyPodConfig {
  const required = (name: string): string => {
    const value = env[name]
    if (!value) throw new InterceptError('proxy-misconfigured', `environment variable ${name} is not set`)
    return value
  }
  const list = (value: string | undefined): string[] => (value ?? '').split(',').filter((part) => part !== '')
  return {
    pod: {
      name: required('POD_NAME'),
      uid: required('POD_UID'),
      ips: env.POD_IPS ? list(env.POD_IPS) : [required('POD_IP')],
    },
    systemNamespace: env.POD_NAMESPACE ?? DEFAULT_SYSTEM_NAMESPACE,
    namespaces: list(env.INTERCEPT_NAMESPACES),
    host: env.HOST || undefined,
    gatewayPort: Number(env.PORT_GATEWAY ?? GATEWAY_PORT),
    gatewayAddress: env.INTERCEPT_GATEWAY_ADDRESS ? parseGatewayAddress(env.INTERCEPT_GATEWAY_ADDRESS) : undefined,
    preview: previewFrom(env),
    previewPort: Number(env.PORT_PREVIEW ?? PREVIEW_PORT),
    forwarding: forwardingOf(list(env.INTERCEPT_FORWARDED_HEADERS).map(forwardedHeader)),
    outbound: {
      allow: list(env.INTERCEPT_OUTBOUND_ALLOW).map(parseOutboundRule),
      deny: list(env.INTERCEPT_OUTBOUND_DENY).map(parseOutboundRule),
    },
    logLevel: env.LOG_LEVEL ?? 'info',
    faultPoints: list(env.INTERCEPT_FAULT_POINTS),
  }
}

function previewFrom(env: NodeJS.ProcessEnv): PreviewOptions | undefined {
  const { INTERCEPT_PREVIEW_DOMAIN: domain, INTERCEPT_PREVIEW_SERVICE: target = '' } = env
  if (!domain) return undefined
  const [, namespace, service, port] = /^([-a-z0-9]+)\/([-a-z0-9]+):(\d+)$/.exec(target) ?? []
  if (!namespace || !service) {
    const message = `INTERCEPT_PREVIEW_SERVICE is "${target}", not NAMESPACE/NAME:PORT`
    throw new InterceptError('proxy-misconfigured', message)
  }
  return { domain, namespace, service, port: Number(port), host: env.INTERCEPT_PREVIEW_HOST || undefined }
}

function forwardedHeader(text: string): (typeof forwardedHeaders)[number] {
  const found = forwardedHeaders.find((one) => one === text)
  if (found) return found
  const known = forwardedHeaders.join(', ')
  throw new InterceptError(
    'proxy-misconfigured',
    `INTERCEPT_FORWARDED_HEADERS has "${text}", which is none of ${known}`,
  )
}
