import type { Event, Pod, StatefulSet } from '../../src/kube/objects.ts'

/** What is known of the proxy's pods while one waits for them. */
export interface RolloutView {
  readonly statefulSet: StatefulSet | undefined
  readonly pods: readonly Pod[]
  readonly events: readonly Event[]
}

interface Cause {
  /** Why it waits, in the cluster's words. */
  readonly detail: string
  /** Waiting alone will hardly help: this is the more telling of two causes. */
  readonly stuck?: boolean
  readonly fix?: string
}

export interface Rollout extends Partial<Cause> {
  readonly done: boolean
  readonly ready: number
  readonly wanted: number
}

/** How far the pods are, and the most telling reason why not further. */
export function rolloutOf({ statefulSet, pods, events }: RolloutView): Rollout {
  const wanted = statefulSet?.spec.replicas ?? 0
  const { status } = statefulSet ?? {}
  const ready = Math.min(status?.readyReplicas ?? 0, wanted)
  const seen = (status?.observedGeneration ?? 0) >= (statefulSet?.metadata.generation ?? 1)
  const done = seen && wanted > 0 && ready === wanted && (status?.updatedReplicas ?? 0) === wanted
  if (done) return { done, ready, wanted }
  const cause = pods.map(podCause).find((one) => one?.stuck) ?? pods.map(podCause).find((one) => one !== undefined)
  return { done, ready, wanted, ...(cause ?? warningOf(events, statefulSet) ?? {}) }
}

const hopelessReasons = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

function podCause(pod: Pod): Cause | undefined {
  const { name } = pod.metadata
  for (const { state, lastState } of pod.status?.containerStatuses ?? []) {
    const { reason, message } = state?.waiting ?? {}
    if (reason !== undefined && reason !== 'ContainerCreating' && reason !== 'PodInitializing') {
      const exit = lastState?.terminated
      const how =
        exit === undefined ? '' : ` (ended with status ${exit.exitCode}${exit.reason ? `, ${exit.reason}` : ''})`
      const detail = `${name}: ${reason}${how}${message ? `: ${message}` : ''}`
      return { detail, stuck: hopelessReasons.has(reason), ...fixOf(pod, reason) }
    }
  }
  const scheduled = pod.status?.conditions?.find((one) => one.type === 'PodScheduled')
  if (scheduled?.status === 'False')
    return { detail: `${name} has no node: ${scheduled.message ?? scheduled.reason}`, stuck: true }
  if (pod.status?.phase === 'Pending') return { detail: `${name} is starting` }
  const isReady = pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')
  return isReady ? undefined : { detail: `${name} is not ready yet` }
}

function fixOf({ metadata }: Pod, reason: string): { fix: string } | undefined {
  if (/Image/.test(reason))
    return { fix: 'intercept install --image REGISTRY/node:24-alpine (any image with Node.js >= 22)' }
  if (reason !== 'CrashLoopBackOff') return undefined
  return { fix: `kubectl -n ${metadata.namespace} logs ${metadata.name} --previous` }
}

/** Pods that are not even made: quota, Pod Security, webhooks. */
function warningOf(events: readonly Event[], statefulSet: StatefulSet | undefined): Cause | undefined {
  const uid = statefulSet?.metadata.uid
  const warnings = events.filter(
    (event) => event.type === 'Warning' && uid !== undefined && event.involvedObject.uid === uid,
  )
  const last = warnings.sort((a, b) => timeOf(a) - timeOf(b)).at(-1)
  return last === undefined ? undefined : { detail: `${last.reason}: ${last.message}`, stuck: true }
}

function timeOf(event: Event): number {
  return Date.parse(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '') || 0
}
