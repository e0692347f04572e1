import type { KubeObject } from '../../../../src/kube/types.ts'
import { objectSelector } from '../store/label-selector.ts'
import type { Control } from './control.ts'

export const clusterRoles = 'clusterroles.rbac.authorization.k8s.io'

interface ClusterRole extends KubeObject {
  rules?: unknown[]
  aggregationRule?: { clusterRoleSelectors?: unknown[] }
}

/** Fills in the rules of all ClusterRoles that are made of others. */
export function aggregateRoles(control: Control): void {
  const roles = control.store.list<ClusterRole>(clusterRoles)
  for (const role of roles) {
    const selectors = role.aggregationRule?.clusterRoleSelectors
    if (!selectors) continue
    const selects = selectors.map(objectSelector)
    const parts = roles.filter((other) => other !== role && selects.some((matches) => matches(other.metadata.labels)))
    const rules = new Map(parts.flatMap((part) => part.rules ?? []).map((rule) => [JSON.stringify(rule), rule]))
    control.edit<ClusterRole>(clusterRoles, role, (draft) => {
      draft.rules = [...rules.values()]
    })
  }
}
