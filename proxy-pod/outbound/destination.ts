import { isIP } from 'node:net'
import { plainAddress } from '../../src/ip-address.ts'
import type { StreamHeader } from '../../src/tunnel/types.ts'

export type Protocol = 'TCP' | 'UDP'

/** Where a laptop wants to: a port of a Service, or of a host as a pod of the namespace sees its name. */
export type Destination =
  | {
      readonly kind: 'service'
      readonly protocol: Protocol
      readonly namespace: string
      readonly name: string
      readonly port: number
    }
  | {
      readonly kind: 'host'
      readonly protocol: Protocol
      /** Undefined: names as the proxy pod itself sees them. */
      readonly namespace: string | undefined
      readonly host: string
      readonly port: number
    }

/** What a stream's header asks for, `{dial}` or `{proto: 'udp', dial}`; undefined where it is not understood. */
export function destinationOf({ dial, proto }: StreamHeader): Destination | undefined {
  if (proto !== undefined && proto !== 'udp') return undefined
  const protocol = proto === 'udp' ? 'UDP' : 'TCP'
  if (typeof dial !== 'object' || dial === null) return undefined
  const { namespace, service, host, port } = dial as Record<string, unknown>
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined
  if (isLabel(service) && isLabel(namespace)) return { kind: 'service', protocol, namespace, name: service, port }
  if (namespace !== undefined && !isLabel(namespace)) return undefined
  if (typeof host === 'string' && host.length <= 253 && (isIP(host) > 0 || hostName.test(host))) {
    // One spelling, so that no rule is passed by with another.
    return { kind: 'host', protocol, namespace, host: plainAddress(host), port }
  }
  return undefined
}

const hostName = /^[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?$/
/** What names of namespaces and Services are. */
export const isLabel = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value)
