import { hostPort } from '../../../src/ip-address.ts'
import type { Service, ServicePort } from '../../../src/kube/objects.ts'

/** The Service of the API server, told to every pod. */
export const apiServerService = { namespace: 'default', name: 'kubernetes' } as const

export interface ServiceLinkOptions {
  readonly namespace: string
  /** The pod's `enableServiceLinks`. */
  readonly enabled: boolean
  /** Where a port is really reached; default: its ClusterIP. */
  addressOf?(service: Service, port: ServicePort): { host: string; port: number } | undefined
}

/**
 * `{SVC}_SERVICE_HOST`, `_SERVICE_PORT` and the variables of Docker links, for the Services of the namespace that have an
 * address. The API server's come also where links are off; a Service `kubernetes` of another namespace hides them.
 */
export function serviceLinks(services: readonly Service[], options: ServiceLinkOptions): Map<string, string> {
  const linked = new Map<string, Service>()
  for (const service of services) {
    const { name, namespace } = service.metadata
    const { clusterIP } = service.spec
    if (!clusterIP || clusterIP === 'None') continue
    const isApiServer = namespace === apiServerService.namespace && name === apiServerService.name
    if (isApiServer && linked.has(name)) continue
    if (isApiServer || (options.enabled && namespace === options.namespace)) linked.set(name, service)
  }
  const variables = new Map<string, string>()
  for (const service of linked.values()) addLinks(variables, service, options)
  return variables
}

function addLinks(variables: Map<string, string>, service: Service, { addressOf }: ServiceLinkOptions): void {
  const prefix = variableName(service.metadata.name)
  for (const [index, port] of (service.spec.ports ?? []).entries()) {
    const at = addressOf?.(service, port) ?? { host: service.spec.clusterIP ?? '', port: port.port }
    const protocol = port.protocol ?? 'TCP'
    const url = `${protocol.toLowerCase()}://${hostPort(at.host, at.port)}`
    if (index === 0) {
      variables.set(`${prefix}_SERVICE_HOST`, at.host)
      variables.set(`${prefix}_SERVICE_PORT`, String(at.port))
      variables.set(`${prefix}_PORT`, url)
    }
    if (port.name) variables.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(at.port))
    const link = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`
    variables.set(link, url)
    variables.set(`${link}_PROTO`, protocol.toLowerCase())
    variables.set(`${link}_PORT`, String(at.port))
    variables.set(`${link}_ADDR`, at.host)
  }
}

const variableName = (name: string): string => name.toUpperCase().replaceAll('-', '_')
