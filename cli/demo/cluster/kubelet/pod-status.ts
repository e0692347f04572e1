import { timestamp } from '../timestamp.ts'
import type { ContainerRun } from './container-run.ts'
import type { Condition, Pod, PodStatus } from './pod.ts'

export interface PodStatusInput {
  readonly previous: PodStatus | undefined
  readonly address: string
  readonly hostIp: string
  readonly startTime: string
  readonly inits: readonly ContainerRun[]
  readonly containers: readonly ContainerRun[]
}

/** The status that the kubelet reports: phase, conditions, addresses, containers. */
export function podStatusOf(pod: Pod, input: PodStatusInput): PodStatus {
  const { address, hostIp, inits, containers, previous } = input
  const initialized = inits.every((init) => init.exitCode === 0)
  const phase = phaseOf(pod, input, initialized)
  const done = phase === 'Succeeded' || phase === 'Failed'
  const ready = !done && containers.every((container) => container.ready)
  const unready = pod.spec.containers.filter((_, index) => !containers[index]?.ready).map(({ name }) => name)
  const why = done
    ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
  const conditions: Condition[] = []
  const add = (type: string, holds: boolean, reason?: { reason: string; message?: string }) => {
    const status = holds ? 'True' : 'False'
    const before = (previous?.conditions ?? pod.status?.conditions)?.find((each) => each.type === type)
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timestamp()
    conditions.push({ type, status, lastProbeTime: null, lastTransitionTime, ...(holds ? {} : reason) })
  }
  add('PodReadyToStartContainers', !done)
  add('Initialized', initialized, { reason: 'ContainersNotInitialized' })
  add('Ready', ready, why)
  add('ContainersReady', ready, why)
  add('PodScheduled', true)
  return {
    phase,
    conditions,
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: input.startTime,
    ...(inits.length > 0 ? { initContainerStatuses: inits.map((init) => init.status()) } : {}),
    containerStatuses: containers.map((container) => container.status()),
    qosClass: pod.status?.qosClass ?? 'BestEffort',
  }
}

function phaseOf(pod: Pod, { inits, containers }: PodStatusInput, initialized: boolean): PodStatus['phase'] {
  const { restartPolicy } = pod.spec
  if (restartPolicy === 'Never' && inits.some((init) => init.exitCode !== undefined && init.exitCode !== 0))
    return 'Failed'
  if (!initialized) return 'Pending'
  const codes = containers.map((container) => container.exitCode)
  const ended = codes.every((code, index) => code !== undefined && !containers[index]?.running)
  const final =
    ended && (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && codes.every((code) => code === 0)))
  if (final) return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed'
  return containers.some(
    (container) => container.running || container.exitCode !== undefined || container.status().restartCount > 0,
  )
    ? 'Running'
    : 'Pending'
}
