import type { KubeObject } from '../../../../src/kube/types.ts'
import { sameJson } from '../json.ts'
import type { PodPorts } from '../network/reach.ts'
import type { Control } from './control.ts'
import { controlledBy } from './owner.ts'
import {
  type EndpointPort,
  isHeadless,
  podsBehind,
  type Service,
  type ServicePod,
  selectorOf,
  setTrigger,
  targetRefOf,
  triggerAnnotation,
  triggerTime,
} from './service-pods.ts'

export const slicesKey = 'endpointslices.discovery.k8s.io'
export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const managedBy = 'endpointslice-controller.k8s.io'
const maxEndpoints = 100

export interface EndpointSlice extends KubeObject {
  addressType: string
  endpoints: Endpoint[] | null
  ports: EndpointPort[] | null
}

interface Endpoint {
  addresses: string[]
  conditions: { ready: boolean; serving: boolean; terminating: boolean }
  hostname?: string
  targetRef?: unknown
  nodeName?: string
}

interface Wanted {
  readonly ports: EndpointPort[] | null
  readonly endpoints: Endpoint[] | null
}

/**
 * The EndpointSlices of a Service with a selector: one for each way its ports resolve in the pods, one empty one where no
 * pod matches. Slices of other managers are left alone, as is everything of a Service without selector.
 */
export function reconcileSlices(control: Control, podPorts: PodPorts, namespace: string, name: string): void {
  const service = control.store.get<Service>('services', namespace, name)
  if (!service || service.metadata.deletionTimestamp || !selectorOf(service)) return
  const pods = podsBehind(control.store, service, podPorts)
  const wanted = slicesFor(service, pods)
  const free = control.store
    .list<EndpointSlice>(slicesKey, namespace)
    .filter(({ metadata: { labels } }) => labels?.[serviceNameLabel] === name && labels[managedByLabel] === managedBy)
  const matches = wanted.map((each) => {
    const at = free.findIndex((slice) => sameJson(slice.ports, each.ports))
    return { each, slice: at < 0 ? undefined : free.splice(at, 1)[0] }
  })
  const metadata = metadataOf(service, triggerTime(service, pods))
  for (const { each, slice = free.shift() } of matches) {
    if (!slice) create(control, service, metadata, each)
    else {
      control.edit<EndpointSlice>(slicesKey, slice, (draft) => {
        draft.endpoints = keepOrder(each.endpoints, slice.endpoints)
        draft.ports = each.ports
        draft.metadata.labels = metadata.labels
        if (!sameJson(draft, slice)) setTrigger(draft, metadata.trigger)
      })
    }
  }
  for (const slice of free) control.delete(slicesKey, slice)
}

function slicesFor(service: Service, pods: readonly ServicePod[]): Wanted[] {
  const groups = new Map<string, ServicePod[]>()
  for (const pod of pods) {
    const key = JSON.stringify(pod.ports)
    groups.set(key, [...(groups.get(key) ?? []), pod])
  }
  const wanted: Wanted[] = []
  for (const group of groups.values()) {
    for (let at = 0; at < group.length; at += maxEndpoints) {
      const ports = group[0]?.ports.length ? [...group[0].ports] : null
      wanted.push({ ports, endpoints: group.slice(at, at + maxEndpoints).map((pod) => endpointOf(service, pod)) })
    }
  }
  return wanted.length > 0 ? wanted : [{ ports: null, endpoints: null }]
}

function endpointOf(service: Service, { pod, ip, ready, serving, terminating }: ServicePod): Endpoint {
  const { hostname, subdomain, nodeName } = pod.spec
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating },
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
    targetRef: targetRefOf(pod),
    ...(nodeName ? { nodeName } : {}),
  }
}

function metadataOf(service: Service, trigger: string | undefined) {
  const labels: Record<string, string> = {
    ...service.metadata.labels,
    [managedByLabel]: managedBy,
    [serviceNameLabel]: service.metadata.name,
    ...(isHeadless(service) ? { 'service.kubernetes.io/headless': '' } : {}),
  }
  return { labels, trigger }
}

function create(
  control: Control,
  service: Service,
  { labels, trigger }: ReturnType<typeof metadataOf>,
  wanted: Wanted,
): void {
  control.create(slicesKey, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      labels,
      annotations: { [triggerAnnotation]: trigger ?? service.metadata.creationTimestamp },
      ownerReferences: [controlledBy(service, 'v1', 'Service')],
    },
    addressType: 'IPv4',
    ...wanted,
  } as unknown as EndpointSlice)
}

/** Endpoints that stay keep their place, as Kubernetes' controller does. */
function keepOrder(wanted: Endpoint[] | null, present: Endpoint[] | null): Endpoint[] | null {
  if (!wanted || !present) return wanted
  const place = new Map(present.map((endpoint, index) => [endpoint.addresses[0], index]))
  const rank = ({ addresses }: Endpoint) => place.get(addresses[0]) ?? present.length
  return [...wanted].sort((a, b) => rank(a) - rank(b))
}
