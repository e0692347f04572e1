import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Pod } from '../kubelet/pod.ts'

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: Pod['spec']
}

export interface WorkloadStatus {
  observedGeneration?: number
  replicas?: number
  readyReplicas?: number
  availableReplicas?: number
  updatedReplicas?: number
  unavailableReplicas?: number
  fullyLabeledReplicas?: number
  currentReplicas?: number
  currentRevision?: string
  updateRevision?: string
  collisionCount?: number
  conditions?: WorkloadCondition[]
}

export interface WorkloadCondition {
  type: string
  status: string
  lastUpdateTime?: string
  lastTransitionTime: string
  reason: string
  message: string
}

/** Deployment, ReplicaSet and StatefulSet, defaults filled in. */
export interface Workload extends KubeObject {
  spec: {
    replicas: number
    paused?: boolean
    selector: unknown
    template: PodTemplate
    serviceName?: string
    strategy?: { type: string; rollingUpdate?: { maxSurge: number | string; maxUnavailable: number | string } }
    updateStrategy?: { type: string }
    podManagementPolicy?: string
    revisionHistoryLimit?: number
  }
  status?: WorkloadStatus
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

export function isActive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed' && !pod.metadata.deletionTimestamp
}
