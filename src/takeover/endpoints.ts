import type { EndpointSlice, Service } from '../kube/objects.ts'
import { MANAGED_BY } from '../resource/names.ts'

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
export const SLICE_MANAGER_LABEL = 'endpointslice.kubernetes.io/managed-by'
const KUBERNETES_MANAGER = 'endpointslice-controller.k8s.io'

const belongsTo = (slice: EndpointSlice, service: string): boolean =>
  slice.metadata.labels?.[SERVICE_NAME_LABEL] === service

const managedBy = (slice: EndpointSlice): string | undefined => slice.metadata.labels?.[SLICE_MANAGER_LABEL]

/** The slices that Kubernetes itself maintains for the Service from its selector. */
export function kubernetesSlices(slices: readonly EndpointSlice[], service: string): EndpointSlice[] {
  return slices.filter((slice) => belongsTo(slice, service) && managedBy(slice) === KUBERNETES_MANAGER)
}

/** The slices in which proxy replicas publish themselves for the Service. */
export function replicaSlices(slices: readonly EndpointSlice[], service: string): EndpointSlice[] {
  return slices.filter((slice) => belongsTo(slice, service) && managedBy(slice) === MANAGED_BY)
}

/**
 * The slices of the origin Service: what the selector finds, whoever is published. Only of this very object: those of
 * an earlier one of the same name live on until the garbage collector comes, and then go all at once.
 */
export function originSlices(slices: readonly EndpointSlice[], origin: Service | undefined): EndpointSlice[] {
  if (!origin) return []
  return kubernetesSlices(slices, origin.metadata.name).filter((slice) =>
    slice.metadata.ownerReferences?.some(({ uid }) => uid === origin.metadata.uid),
  )
}

/** Addresses that Kubernetes would route to now: ready ones, or, where none is, those that still serve while ending. */
export function routableAddresses(slices: readonly EndpointSlice[]): Set<string> {
  const ready = new Set<string>()
  const serving = new Set<string>()
  for (const slice of slices) {
    for (const endpoint of slice.endpoints ?? []) {
      const { ready: isReady, serving: isServing, terminating } = endpoint.conditions ?? {}
      for (const address of endpoint.addresses) {
        if (isReady !== false) ready.add(address)
        else if (isServing && terminating) serving.add(address)
      }
    }
  }
  return ready.size > 0 ? ready : serving
}

/** True where Kubernetes has filled `actual` with everything that it routes to in `wanted`. */
export function covers(actual: readonly EndpointSlice[], wanted: readonly EndpointSlice[]): boolean {
  const present = routableAddresses(actual)
  for (const address of routableAddresses(wanted)) if (!present.has(address)) return false
  return true
}

export interface OriginEndpoint {
  readonly address: string
  readonly port: number
}

/** Where a new connection to a port of the Service may go. Unsorted, no duplicates. @param own from `originSlices` */
export function originEndpoints(
  own: readonly EndpointSlice[],
  port: { readonly name?: string | undefined; readonly protocol: 'TCP' | 'UDP' },
): OriginEndpoint[] {
  const routable = routableAddresses(own)
  const found = new Map<string, OriginEndpoint>()
  for (const slice of own) {
    const slicePort = (slice.ports ?? []).find(
      (candidate) => (candidate.name ?? '') === (port.name ?? '') && (candidate.protocol ?? 'TCP') === port.protocol,
    )
    if (slicePort?.port == null) continue
    for (const endpoint of slice.endpoints ?? []) {
      for (const address of endpoint.addresses) {
        if (routable.has(address)) found.set(`${address} ${slicePort.port}`, { address, port: slicePort.port })
      }
    }
  }
  return [...found.values()]
}
