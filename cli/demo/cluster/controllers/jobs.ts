import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Pod } from '../kubelet/pod.ts'
import { timestamp } from '../timestamp.ts'
import type { Control } from './control.ts'
import { controlledBy, controllerOf } from './owner.ts'
import type { PodTemplate } from './workload.ts'

export const jobs = 'jobs.batch'

interface Job extends KubeObject {
  spec: {
    parallelism: number
    completions: number
    backoffLimit: number
    selector?: unknown
    template: PodTemplate
    ttlSecondsAfterFinished?: number
  }
  status?: {
    startTime?: string
    completionTime?: string
    active?: number
    succeeded?: number
    failed?: number
    ready?: number
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime: string }[]
  }
}

/** Runs pods until enough have succeeded, or too many failed. */
export function reconcileJob(control: Control, namespace: string, name: string): void {
  const job = control.store.get<Job>(jobs, namespace, name)
  if (!job || job.metadata.deletionTimestamp) return
  if (
    job.status?.conditions?.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')
  )
    return
  const pods = control.store.list<Pod>('pods', namespace).filter((pod) => controllerOf(pod)?.uid === job.metadata.uid)
  const count = (phase: string) => pods.filter((pod) => pod.status?.phase === phase).length
  const [succeeded, failed] = [count('Succeeded'), count('Failed')]
  const active = pods.length - succeeded - failed
  const complete = succeeded >= job.spec.completions
  const hopeless = failed > job.spec.backoffLimit
  const wanted = Math.min(job.spec.parallelism, job.spec.completions - succeeded) - active
  if (!complete && !hopeless) for (let index = 0; index < wanted; index += 1) control.create('pods', newPod(job))
  if (hopeless) for (const pod of pods) if (pod.status?.phase === 'Running') control.delete('pods', pod)
  control.editStatus<Job>(jobs, job, (draft) => {
    const now = timestamp()
    const running = Math.max(0, complete || hopeless ? 0 : active + Math.max(0, wanted))
    draft.status = {
      startTime: draft.status?.startTime ?? now,
      ...(running > 0 ? { active: running, ready: 0 } : {}),
      ...(succeeded > 0 ? { succeeded } : {}),
      ...(failed > 0 ? { failed } : {}),
    }
    if (complete) {
      draft.status.completionTime = now
      const reason = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
      draft.status.conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: now,
        ...reason,
      }))
    } else if (hopeless) {
      const reason = { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
      draft.status.conditions = ['FailureTarget', 'Failed'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: now,
        ...reason,
      }))
    }
  })
}

function newPod(job: Job): KubeObject {
  const { template } = job.spec
  const metadata = {
    ...structuredClone(template.metadata ?? {}),
    generateName: `${job.metadata.name}-`,
    namespace: job.metadata.namespace,
    ownerReferences: [controlledBy(job, 'batch/v1', 'Job')],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: structuredClone(template.spec) } as unknown as KubeObject
}
