import type { KubeObject } from '../../../../src/kube/types.ts'
import { sameJson } from '../json.ts'
import type { PodPorts } from '../network/reach.ts'
import type { Control } from './control.ts'
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

interface EndpointAddress {
  ip: string
  hostname?: string
  nodeName?: string
  targetRef?: unknown
}

interface Subset {
  addresses?: EndpointAddress[]
  notReadyAddresses?: EndpointAddress[]
  ports?: { name?: string; port: number; protocol: string }[]
}

export interface Endpoints extends KubeObject {
  subsets?: Subset[]
}

const managedLabels = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' }

/** The old Endpoints object of a Service with a selector; gone with the Service. */
export function reconcileEndpoints(control: Control, podPorts: PodPorts, namespace: string, name: string): void {
  const service = control.store.get<Service>('services', namespace, name)
  const present = control.store.get<Endpoints>('endpoints', namespace, name)
  if (!service) {
    if (present) control.delete('endpoints', present)
    return
  }
  if (!selectorOf(service)) return
  const pods = podsBehind(control.store, service, podPorts).filter(({ terminating, ready }) => ready || !terminating)
  const subsets = subsetsOf(service, pods)
  const trigger = triggerTime(service, pods)
  const labels = {
    ...service.metadata.labels,
    ...managedLabels,
    ...(isHeadless(service) ? { 'service.kubernetes.io/headless': '' } : {}),
  }
  if (!present) {
    const annotations = { [triggerAnnotation]: trigger ?? service.metadata.creationTimestamp ?? '' }
    const metadata = { name, namespace, labels, annotations }
    control.create<Endpoints>('endpoints', {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata,
      ...(subsets.length > 0 ? { subsets } : {}),
    })
    return
  }
  control.edit<Endpoints>('endpoints', present, (draft) => {
    draft.metadata.labels = labels
    if (subsets.length > 0) draft.subsets = subsets
    else delete draft.subsets
    if (!sameJson(draft, present)) setTrigger(draft, trigger)
  })
}

/** Ports that the same pods have share a subset. A headless Service may have none, and its pods still count. */
function subsetsOf(service: Service, pods: readonly ServicePod[]): Subset[] {
  if ((service.spec.ports ?? []).length === 0 && pods.length > 0) return [subset(service, pods, [])]
  const byPort = new Map<string, { port: EndpointPort; pods: ServicePod[] }>()
  for (const pod of pods) {
    for (const port of pod.ports) {
      const key = JSON.stringify(port)
      const entry = byPort.get(key) ?? { port, pods: [] }
      entry.pods.push(pod)
      byPort.set(key, entry)
    }
  }
  const byPods = new Map<string, { ports: EndpointPort[]; pods: ServicePod[] }>()
  for (const { port, pods: having } of byPort.values()) {
    const key = having.map(({ ip }) => ip).join()
    const entry = byPods.get(key) ?? { ports: [], pods: having }
    entry.ports.push(port)
    byPods.set(key, entry)
  }
  return [...byPods.values()].map(({ ports, pods: having }) => subset(service, having, ports))
}

function subset(service: Service, pods: readonly ServicePod[], ports: readonly EndpointPort[]): Subset {
  const ready = pods.filter((pod) => pod.ready).map((pod) => addressOf(service, pod))
  const unready = pods.filter((pod) => !pod.ready).map((pod) => addressOf(service, pod))
  const named = ports
    .map(({ name, port, protocol }) => ({ ...(name ? { name } : {}), port, protocol }))
    .sort((a, b) => (a.name ?? '').localeCompare(b.name ?? ''))
  return {
    ...(ready.length > 0 ? { addresses: ready.sort(byIp) } : {}),
    ...(unready.length > 0 ? { notReadyAddresses: unready.sort(byIp) } : {}),
    ...(named.length > 0 ? { ports: named } : {}),
  }
}

function addressOf(service: Service, { pod, ip }: ServicePod): EndpointAddress {
  const { hostname, subdomain, nodeName } = pod.spec
  return {
    ip,
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: targetRefOf(pod),
  }
}

function byIp(a: EndpointAddress, b: EndpointAddress): number {
  const number = ({ ip }: EndpointAddress) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  return number(a) - number(b)
}
