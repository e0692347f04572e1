import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Pod } from '../kubelet/pod.ts'
import { containerPort, type PodPorts } from '../network/reach.ts'
import { includesLabels } from '../store/label-selector.ts'
import type { Store } from '../store/store.ts'
import { isReady } from './workload.ts'

export interface Service extends KubeObject {
  spec: {
    selector?: Record<string, string>
    type?: string
    clusterIP?: string
    publishNotReadyAddresses?: boolean
    ports?: ServicePort[]
  }
}

export interface ServicePort {
  name?: string
  port: number
  protocol: string
  targetPort: number | string
  appProtocol?: string
}

export interface EndpointPort {
  name: string
  protocol: string
  port: number
  appProtocol?: string
}

/** A pod behind a Service: its conditions and what the Service's ports are in it. */
export interface ServicePod {
  readonly pod: Pod
  readonly ip: string
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly ports: readonly EndpointPort[]
}

/** A selector that endpoints follow; undefined where somebody else looks after the Service's endpoints. */
export function selectorOf(service: Service): Record<string, string> | undefined {
  const { selector, type } = service.spec
  return type !== 'ExternalName' && selector && Object.keys(selector).length > 0 ? selector : undefined
}

export function isHeadless(service: Service): boolean {
  return service.spec.clusterIP === 'None'
}

/** All pods that the selector matches and that have an address and are not done. */
export function podsBehind(store: Store, service: Service, podPorts: PodPorts): ServicePod[] {
  const selector = selectorOf(service)
  if (!selector) return []
  const found: ServicePod[] = []
  for (const pod of store.list<Pod>('pods', service.metadata.namespace)) {
    const ip = pod.status?.podIP
    const phase = pod.status?.phase
    if (!ip || phase === 'Succeeded' || phase === 'Failed' || !includesLabels(pod.metadata.labels, selector)) continue
    const serving = isReady(pod)
    const terminating = pod.metadata.deletionTimestamp !== undefined
    const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating)
    found.push({ pod, ip, ready, serving, terminating, ports: portsIn(pod, service, podPorts) })
  }
  return found
}

function portsIn(pod: Pod, service: Service, podPorts: PodPorts): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap(({ name = '', protocol, targetPort, appProtocol }) => {
    const port = containerPort(pod, targetPort, protocol)
    if (port === undefined) return []
    return [{ name, protocol, port: podPorts.real(pod, port), ...(appProtocol ? { appProtocol } : {}) }]
  })
}

export function targetRefOf({ metadata }: Pod): Record<string, string | undefined> {
  return { kind: 'Pod', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid }
}

/** When the endpoints last had reason to change: the annotation endpoints.kubernetes.io/last-change-trigger-time. */
export function triggerTime(service: Service, pods: readonly ServicePod[]): string | undefined {
  const times = pods.flatMap(
    ({ pod }) => pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? [],
  )
  return pods.length === 0 ? undefined : [service.metadata.creationTimestamp ?? '', ...times].sort().at(-1)
}

export const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'

export function setTrigger(object: KubeObject, trigger: string | undefined): void {
  const { [triggerAnnotation]: _, ...annotations } = object.metadata.annotations ?? {}
  object.metadata.annotations = trigger === undefined ? annotations : { ...annotations, [triggerAnnotation]: trigger }
}
