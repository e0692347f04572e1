import { createHash } from 'node:crypto'
import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Pod } from '../kubelet/pod.ts'
import type { Control } from './control.ts'
import { controlledBy } from './owner.ts'
import { podsOf } from './replica-sets.ts'
import { isActive, isReady, type Workload } from './workload.ts'

export const statefulSets = 'statefulsets.apps'
const revisionLabel = 'controller-revision-hash'

/** Pods NAME-0, NAME-1, ... in order (or all at once with podManagementPolicy Parallel); updates from the last to the first. */
export function reconcileStatefulSet(control: Control, namespace: string, name: string): void {
  const set = control.store.get<Workload>(statefulSets, namespace, name)
  if (!set || set.metadata.deletionTimestamp) return
  const revision = `${name}-${createHash('sha256').update(JSON.stringify(set.spec.template)).digest('hex').slice(0, 10)}`
  const pods = new Map(podsOf(control, set, 'StatefulSet').map((pod) => [ordinalOf(pod), pod]))
  const parallel = set.spec.podManagementPolicy === 'Parallel'
  let steady = true
  for (let ordinal = 0; ordinal < set.spec.replicas; ordinal += 1) {
    const pod = pods.get(ordinal)
    if (!pod) control.create('pods', newPod(set, ordinal, revision))
    else if (!pod.metadata.deletionTimestamp && !isActive(pod)) control.delete('pods', pod)
    if (pod && isReady(pod) && isActive(pod)) continue
    steady = false
    if (!parallel) break
  }
  const surplus = [...pods].filter(([ordinal, pod]) => ordinal >= set.spec.replicas && !pod.metadata.deletionTimestamp)
  for (const [, pod] of surplus.sort(([a], [b]) => b - a).slice(0, parallel ? undefined : 1))
    control.delete('pods', pod)
  if (steady && set.spec.updateStrategy?.type === 'RollingUpdate') {
    const outdated = [...pods].filter(([, pod]) => pod.metadata.labels?.[revisionLabel] !== revision)
    const last = outdated.sort(([a], [b]) => b - a)[0]?.[1]
    if (last && !last.metadata.deletionTimestamp) control.delete('pods', last)
  }
  report(control, set, revision)
}

function report(control: Control, set: Workload, revision: string): void {
  const pods = podsOf(control, set, 'StatefulSet').filter(isActive)
  const ready = pods.filter(isReady).length
  const updated = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision).length
  control.editStatus<Workload>(statefulSets, set, (draft) => {
    const finished = updated === set.spec.replicas && ready === set.spec.replicas
    draft.status = {
      observedGeneration: draft.metadata.generation ?? 1,
      replicas: pods.length,
      ...(ready > 0 ? { readyReplicas: ready } : {}),
      ...(updated > 0 ? { currentReplicas: updated, updatedReplicas: updated } : {}),
      currentRevision: finished ? revision : (draft.status?.currentRevision ?? revision),
      updateRevision: revision,
      collisionCount: 0,
      availableReplicas: ready,
    }
  })
}

function ordinalOf(pod: Pod): number {
  return Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf('-') + 1))
}

function newPod(set: Workload, ordinal: number, revision: string): KubeObject {
  const name = `${set.metadata.name}-${ordinal}`
  const { template, serviceName } = set.spec
  const metadata = {
    ...structuredClone(template.metadata ?? {}),
    name,
    generateName: `${set.metadata.name}-`,
    namespace: set.metadata.namespace,
    labels: {
      ...template.metadata?.labels,
      'apps.kubernetes.io/pod-index': String(ordinal),
      [revisionLabel]: revision,
      'statefulset.kubernetes.io/pod-name': name,
    },
    ownerReferences: [controlledBy(set, 'apps/v1', 'StatefulSet')],
  }
  const spec = { ...structuredClone(template.spec), hostname: name, ...(serviceName ? { subdomain: serviceName } : {}) }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec } as unknown as KubeObject
}
