import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Pod } from '../kubelet/pod.ts'
import { objectSelector } from '../store/label-selector.ts'
import type { Control } from './control.ts'
import { isActive, isReady } from './workload.ts'

export const budgets = 'poddisruptionbudgets.policy'

interface Budget extends KubeObject {
  spec: { selector?: unknown; minAvailable?: number | string; maxUnavailable?: number | string }
  status?: object
}

/** Counts the healthy pods of a PodDisruptionBudget. Evictions here do not ask it. */
export function reconcileBudget(control: Control, namespace: string, name: string): void {
  const budget = control.store.get<Budget>(budgets, namespace, name)
  if (!budget) return
  const selects = objectSelector(budget.spec.selector)
  const pods = control.store.list<Pod>('pods', namespace).filter((pod) => selects(pod.metadata.labels) && isActive(pod))
  const healthy = pods.filter(isReady).length
  const number = (value: number | string) =>
    typeof value === 'number' ? value : Math.ceil((Number.parseFloat(value) / 100) * pods.length)
  const { minAvailable, maxUnavailable } = budget.spec
  const desired =
    minAvailable !== undefined ? number(minAvailable) : Math.max(0, pods.length - number(maxUnavailable ?? 1))
  control.editStatus<Budget>(budgets, budget, (draft) => {
    draft.status = {
      currentHealthy: healthy,
      desiredHealthy: desired,
      disruptionsAllowed: Math.max(0, healthy - desired),
      expectedPods: pods.length,
      observedGeneration: draft.metadata.generation ?? 1,
    }
  })
}
