import type { FieldError } from '../api-error.ts'
import { type Dict, dictOf, ensureDict, sameJson } from '../json.ts'
import { objectSelector } from '../store/label-selector.ts'
import { podTemplateDefaults, validatePodSpec } from './pod-defaults.ts'

export function replicaSetDefaults(set: Dict, previous: Dict | undefined): void {
  podTemplateDefaults(set)
  ensureDict(set, 'spec').replicas ??= 1
  if (!previous) set.status ??= { replicas: 0 }
}

/** Deployment and StatefulSet. */
export function workloadDefaults(workload: Dict, previous: Dict | undefined): void {
  podTemplateDefaults(workload)
  if (!previous) workload.status ??= workload.kind === 'Deployment' ? {} : { replicas: 0, availableReplicas: 0 }
  const spec = ensureDict(workload, 'spec')
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  if (workload.kind === 'Deployment') {
    spec.progressDeadlineSeconds ??= 600
    const strategy = ensureDict(spec, 'strategy')
    strategy.type ??= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      const rolling = ensureDict(strategy, 'rollingUpdate')
      rolling.maxUnavailable ??= '25%'
      rolling.maxSurge ??= '25%'
    }
    return
  }
  spec.podManagementPolicy ??= 'OrderedReady'
  const update = ensureDict(spec, 'updateStrategy')
  update.type ??= 'RollingUpdate'
  if (update.type === 'RollingUpdate') update.rollingUpdate ??= { partition: 0 }
  spec.persistentVolumeClaimRetentionPolicy ??= { whenDeleted: 'Retain', whenScaled: 'Retain' }
}

export function budgetDefaults(budget: Dict, previous: Dict | undefined): void {
  const none = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
  if (!previous) budget.status ??= none
}

export function jobDefaults(job: Dict, previous: Dict | undefined): void {
  podTemplateDefaults(job)
  if (!previous) {
    job.status ??= {}
    selectOwnPods(job)
  }
  const spec = ensureDict(job, 'spec')
  spec.parallelism ??= 1
  spec.completions ??= 1
  spec.backoffLimit ??= 6
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  spec.podReplacementPolicy ??= 'TerminatingOrFailed'
}

/** A Job selects its pods by its uid, which its pods' template and it itself carry as a label. */
function selectOwnPods(job: Dict): void {
  const { name, uid } = dictOf(job.metadata)
  const spec = ensureDict(job, 'spec')
  if (spec.manualSelector === true) return
  spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  }
  for (const owner of [job, ensureDict(spec, 'template')]) {
    const metadata = ensureDict(owner, 'metadata')
    metadata.labels = { ...dictOf(metadata.labels), ...labels }
  }
}

export function validateWorkload(workload: Dict, previous: Dict | undefined): FieldError[] {
  const spec = dictOf(workload.spec)
  const errors: FieldError[] = []
  if (spec.selector === undefined)
    errors.push({ reason: 'FieldValueRequired', field: 'spec.selector', message: 'Required value' })
  const template = dictOf(spec.template)
  const labels = dictOf(dictOf(template.metadata).labels) as Record<string, string>
  if (spec.selector !== undefined && !objectSelector(spec.selector)(labels)) {
    const value = JSON.stringify(labels)
    errors.push({
      reason: 'FieldValueInvalid',
      field: 'spec.template.metadata.labels',
      message: `Invalid value: ${value}: \`selector\` does not match template \`labels\``,
    })
  }
  if (previous && !sameJson(spec.selector, dictOf(previous.spec).selector)) {
    errors.push({
      reason: 'FieldValueInvalid',
      field: 'spec.selector',
      message: `Invalid value: ${JSON.stringify(spec.selector)}: field is immutable`,
    })
  }
  return [...errors, ...validatePodSpec(dictOf(template.spec), 'spec.template.spec')]
}
