import type { Service } from '../kube/objects.ts'
import { MANAGED_BY, originServiceName, SERVICE_LABEL } from '../resource/names.ts'
import { originalSelector } from './selector.ts'

/** Label selector that finds every origin Service, hence every Service that we have to do with. */
export const ORIGIN_SERVICE_SELECTOR = `app.kubernetes.io/managed-by=${MANAGED_BY},${SERVICE_LABEL}`

/**
 * The headless shadow of a Service: the same selector and ports, so that Kubernetes maintains the origin's endpoints
 * for us. Owned by the Service: goes with it.
 */
export function originService(service: Service): Service {
  const { spec, metadata } = service
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: originServiceName(metadata.name),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: { 'app.kubernetes.io/managed-by': MANAGED_BY, [SERVICE_LABEL]: metadata.name },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: metadata.name, uid: metadata.uid ?? '' }],
    },
    spec: {
      clusterIP: 'None',
      selector: originalSelector(service),
      ...(spec.ipFamilies ? { ipFamilies: spec.ipFamilies } : {}),
      ...(spec.ipFamilyPolicy ? { ipFamilyPolicy: spec.ipFamilyPolicy } : {}),
      ...(spec.publishNotReadyAddresses ? { publishNotReadyAddresses: true } : {}),
      ports: (spec.ports ?? []).map(({ nodePort: _nodePort, ...port }) => port),
    },
  }
}

/** True where the shadow no longer says what the Service says (somebody changed the Service meanwhile). */
export function isStale(origin: Service, service: Service): boolean {
  const wanted = originService(service)
  return (
    canonical(origin.spec.selector ?? {}) !== canonical(wanted.spec.selector ?? {}) ||
    canonical((origin.spec.ports ?? []).map(portIdentity)) !== canonical((wanted.spec.ports ?? []).map(portIdentity)) ||
    (origin.spec.publishNotReadyAddresses ?? false) !== (wanted.spec.publishNotReadyAddresses ?? false)
  )
}

const portIdentity = (port: NonNullable<Service['spec']['ports']>[number]) => [
  port.name ?? '',
  port.protocol ?? 'TCP',
  port.port,
  port.targetPort ?? port.port,
]

const canonical = (value: object): string =>
  JSON.stringify(Array.isArray(value) ? value : Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
