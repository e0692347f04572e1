import { isIPv6 } from 'node:net'
import type { EndpointSlice, Service } from '../../src/kube/objects.ts'
import { endpointSlices } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import {
  MANAGED_BY,
  MANAGED_BY_LABEL,
  REPLICA_LABEL,
  REPLICA_UID_ANNOTATION,
  SERVICE_LABEL,
} from '../../src/resource/names.ts'
import { SERVICE_NAME_LABEL } from '../../src/takeover/endpoints.ts'
import type { PublishedPort } from './service-dataplane.ts'

/** A proxy pod as it publishes itself. */
export interface Publisher {
  readonly name: string
  readonly uid: string
  readonly ips: readonly string[]
}

/** The slices, one for each address family of the Service, that make this replica an endpoint of it. */
export function slicesOf(service: Service, ports: readonly PublishedPort[], pod: Publisher): EndpointSlice[] {
  const { name, namespace = 'default', uid = '' } = service.metadata
  const families = service.spec.ipFamilies ?? ['IPv4']
  return families.flatMap((family) => {
    const addresses = pod.ips.filter((ip) => isIPv6(ip) === (family === 'IPv6'))
    if (addresses.length === 0) return []
    return [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: sliceName(name, pod.name, family),
          namespace,
          labels: {
            [SERVICE_NAME_LABEL]: name,
            [MANAGED_BY_LABEL]: MANAGED_BY,
            [SERVICE_LABEL]: name,
            [REPLICA_LABEL]: pod.name,
            ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
          },
          annotations: { [REPLICA_UID_ANNOTATION]: pod.uid },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid }],
        },
        addressType: family,
        endpoints: addresses.map((address) => ({
          addresses: [address],
          conditions: { ready: true, serving: true, terminating: false },
        })),
        ports: ports.map(({ name: portName, protocol, port }) => ({ name: portName, protocol, port })),
      },
    ]
  })
}

const sliceName = (service: string, pod: string, family: string): string =>
  `${service}-${pod}${family === 'IPv6' ? '-ipv6' : ''}`

/** True where the cluster has the slice as we would write it. */
export function isPublished(wanted: EndpointSlice, slices: readonly EndpointSlice[]): boolean {
  const found = slices.find((slice) => slice.metadata.name === wanted.metadata.name)
  return found !== undefined && signature(found) === signature(wanted)
}

const signature = (slice: EndpointSlice): string =>
  JSON.stringify([
    slice.metadata.annotations?.[REPLICA_UID_ANNOTATION],
    slice.addressType,
    (slice.endpoints ?? []).map((endpoint) => endpoint.addresses),
    (slice.ports ?? []).map((port) => `${port.name ?? ''} ${port.protocol ?? 'TCP'} ${port.port}`).sort(),
  ])

/** Writes it, over whatever an earlier pod of the same name left. */
export async function publish(kube: Kube, slice: EndpointSlice): Promise<void> {
  const { namespace, name } = slice.metadata
  await kube.patch(endpointSlices, namespace, name, slice, {
    type: 'apply',
    fieldManager: 'intercept-replica',
    force: true,
  })
}
