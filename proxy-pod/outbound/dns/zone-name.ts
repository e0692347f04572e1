import { isLabel } from '../destination.ts'

/** What a name of the cluster's domain stands for (dns/docs/specification.md of Kubernetes). */
export type ZoneName =
  /** The domain itself, `svc` and `pod` in it: names that only lead to others. */
  | { readonly kind: 'apex' }
  | { readonly kind: 'namespace'; readonly namespace: string }
  | { readonly kind: 'service'; readonly namespace: string; readonly service: string }
  /** One endpoint: its hostname, or its address with dashes. */
  | { readonly kind: 'endpoint'; readonly namespace: string; readonly service: string; readonly endpoint: string }
  | {
      readonly kind: 'port'
      readonly namespace: string
      readonly service: string
      readonly port: string
      readonly protocol: string
    }
  | { readonly kind: 'pod'; readonly namespace: string; readonly address: string }
  /** It cannot exist; its namespace where it has one. */
  | { readonly kind: 'nothing'; readonly namespace: string | undefined }

/** Undefined: a name of elsewhere. @param name and @param domain in lower case, without a final dot */
export function zoneNameOf(name: string, domain: string): ZoneName | undefined {
  if (name === domain) return { kind: 'apex' }
  if (!name.endsWith(`.${domain}`)) return undefined
  const [branch, namespace, ...rest] = name
    .slice(0, -domain.length - 1)
    .split('.')
    .reverse()
  if (branch === 'svc') return namespace === undefined ? { kind: 'apex' } : serviceName(namespace, rest)
  if (branch === 'pod') return namespace === undefined ? { kind: 'apex' } : podName(namespace, rest)
  return { kind: 'nothing', namespace: undefined }
}

/** @param rest labels from right to left */
function serviceName(namespace: string, [service, third, fourth, ...more]: readonly string[]): ZoneName {
  const nothing: ZoneName = { kind: 'nothing', namespace }
  if (!isLabel(namespace) || more.length > 0) return nothing
  if (service === undefined) return { kind: 'namespace', namespace }
  if (!isLabel(service)) return nothing
  if (third === undefined) return { kind: 'service', namespace, service }
  if (fourth === undefined) return isLabel(third) ? { kind: 'endpoint', namespace, service, endpoint: third } : nothing
  const [protocol, port] = [third, fourth].map((label) => /^_(.+)$/.exec(label)?.[1])
  return protocol && port ? { kind: 'port', namespace, service, port, protocol } : nothing
}

function podName(namespace: string, [label, ...more]: readonly string[]): ZoneName {
  if (!isLabel(namespace)) return { kind: 'nothing', namespace }
  if (label === undefined) return { kind: 'namespace', namespace }
  const isIPv4 = /^\d{1,3}(-\d{1,3}){3}$/.test(label)
  const address = isIPv4 ? label.replaceAll('-', '.') : undefined
  return address === undefined || more.length > 0 ? { kind: 'nothing', namespace } : { kind: 'pod', namespace, address }
}
