import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Pod } from '../kubelet/pod.ts'
import { objectSelector } from '../store/label-selector.ts'
import type { Control } from './control.ts'
import { controlledBy, controllerOf } from './owner.ts'
import { isActive, isReady, type Workload } from './workload.ts'

export const replicaSets = 'replicasets.apps'

/** Makes and removes pods until there are as many as the ReplicaSet wants, and reports how many there are. */
export function reconcileReplicaSet(control: Control, namespace: string, name: string): void {
  const set = control.store.get<Workload>(replicaSets, namespace, name)
  if (!set || set.metadata.deletionTimestamp) return
  const pods = podsOf(control, set, 'ReplicaSet')
  const active = pods.filter(isActive)
  const missing = set.spec.replicas - active.length
  for (let index = 0; index < missing; index += 1) control.create('pods', newPod(set, `${name}-`))
  for (const pod of active.sort(byWorth).slice(0, Math.max(0, -missing))) control.delete('pods', pod)
  reportReplicas(control, set, podsOf(control, set, 'ReplicaSet').filter(isActive))
}

/** The pods that the workload controls; orphans that match its selector are adopted. */
export function podsOf(control: Control, owner: Workload, kind: string): Pod[] {
  const selects = objectSelector(owner.spec.selector)
  const pods: Pod[] = []
  for (const pod of control.store.list<Pod>('pods', owner.metadata.namespace)) {
    const controller = controllerOf(pod)
    if (controller) {
      if (controller.uid === owner.metadata.uid) pods.push(pod)
    } else if (selects(pod.metadata.labels) && isActive(pod)) {
      const adopted = control.edit<Pod>('pods', pod, (draft) => {
        draft.metadata.ownerReferences = [
          ...(draft.metadata.ownerReferences ?? []),
          controlledBy(owner, 'apps/v1', kind),
        ]
      })
      if (adopted) pods.push(adopted)
    }
  }
  return pods
}

function newPod(set: Workload, generateName: string): KubeObject {
  const { template } = set.spec
  const metadata = {
    ...structuredClone(template.metadata ?? {}),
    generateName,
    namespace: set.metadata.namespace,
    ownerReferences: [controlledBy(set, 'apps/v1', 'ReplicaSet')],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: structuredClone(template.spec) } as unknown as KubeObject
}

/** Pods to be removed first come first: not running, then not ready, then the youngest. */
function byWorth(a: Pod, b: Pod): number {
  const worth = (pod: Pod) => (pod.status?.phase === 'Running' ? 1 : 0) + (isReady(pod) ? 1 : 0)
  return worth(a) - worth(b) || (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')
}

function reportReplicas(control: Control, set: Workload, active: Pod[]): void {
  const ready = active.filter(isReady).length
  control.editStatus<Workload>(replicaSets, set, (draft) => {
    draft.status = {
      replicas: active.length,
      ...(active.length > 0 ? { fullyLabeledReplicas: active.length } : {}),
      ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
      observedGeneration: set.metadata.generation ?? 1,
    }
  })
}
