/** What a name of the cluster's own domain stands for. */
export interface ClusterName {
  readonly namespace: string
  readonly service: string
  /** One endpoint of the Service: its hostname, or its address with dashes. */
  readonly endpoint: string | undefined
}

/**
 * Reads a full name as Kubernetes' DNS does (dns/docs/specification.md): `SERVICE.NAMESPACE.svc.DOMAIN`, or an endpoint
 * of it with a label more. 'nothing': a name of that domain that has no address; undefined: a name of elsewhere.
 */
export function clusterNameOf(fullName: string, domain: string): ClusterName | 'nothing' | undefined {
  const zone = `.svc.${domain}`
  if (!fullName.endsWith(zone)) return undefined
  const labels = fullName.slice(0, -zone.length).split('.')
  if (!labels.every((label) => isLabel.test(label))) return 'nothing'
  const [namespace, service, endpoint, more] = labels.reverse()
  if (namespace === undefined || service === undefined || more !== undefined) return 'nothing'
  return { namespace, service, endpoint }
}

const isLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** The label of an endpoint that has no hostname. */
export const dashed = (address: string): string => address.replaceAll(/[.:]/g, '-')
