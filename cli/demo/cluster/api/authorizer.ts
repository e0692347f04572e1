import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Principal } from '../admission/admission.ts'
import { type Dict, dictOf, listOf } from '../json.ts'
import type { Store } from '../store/store.ts'

/** What is asked for: a resource, or a path that is none. */
export interface AccessAttributes {
  readonly verb: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly path?: string
}

interface Rule {
  readonly verbs?: string[]
  readonly apiGroups?: string[]
  readonly resources?: string[]
  readonly resourceNames?: string[]
  readonly nonResourceURLs?: string[]
}

const rbac = 'rbac.authorization.k8s.io'

/** RBAC over the roles and bindings in the store. `system:masters` may do everything. */
export class Authorizer {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  allowed(user: Principal, access: AccessAttributes): boolean {
    if (user.groups.includes('system:masters')) return true
    for (const rule of this.rulesOf(user, access.namespace)) if (covers(rule, access)) return true
    return false
  }

  /** Rules that hold for the user in the namespace, cluster-wide ones among them. */
  *rulesOf(user: Principal, namespace: string | undefined): Generator<Rule> {
    for (const binding of this.#store.list(`clusterrolebindings.${rbac}`)) {
      if (bindsTo(binding, user, undefined)) yield* this.#rulesOfRole(binding, undefined)
    }
    if (namespace === undefined || namespace === '') return
    for (const binding of this.#store.list(`rolebindings.${rbac}`, namespace)) {
      if (bindsTo(binding, user, namespace)) yield* this.#rulesOfRole(binding, namespace)
    }
  }

  /** The API server's words for a refusal. */
  describe(user: Principal, access: AccessAttributes): string {
    if (access.path !== undefined) return `User "${user.name}" cannot ${access.verb} path "${access.path}"`
    const resource = access.subresource ? `${access.resource}/${access.subresource}` : access.resource
    const where = access.namespace ? `in the namespace "${access.namespace}"` : 'at the cluster scope'
    return `User "${user.name}" cannot ${access.verb} resource "${resource}" in API group "${access.group}" ${where}`
  }

  *#rulesOfRole(binding: KubeObject, namespace: string | undefined): Generator<Rule> {
    const { kind, name } = dictOf((binding as unknown as Dict).roleRef)
    const role =
      kind === 'Role'
        ? this.#store.get(`roles.${rbac}`, namespace, String(name))
        : this.#store.get(`clusterroles.${rbac}`, undefined, String(name))
    yield* listOf((role as unknown as Dict | undefined)?.rules) as Rule[]
  }
}

function bindsTo(binding: KubeObject, user: Principal, namespace: string | undefined): boolean {
  return listOf((binding as unknown as Dict).subjects).some((subject) => {
    const { kind, name, namespace: home = namespace } = dictOf(subject)
    switch (kind) {
      case 'User':
        return name === user.name
      case 'Group':
        return user.groups.includes(String(name))
      case 'ServiceAccount':
        return user.name === `system:serviceaccount:${home}:${name}`
      default:
        return false
    }
  })
}

function covers(rule: Rule, access: AccessAttributes): boolean {
  const includes = (list: string[] | undefined, value: string) => list?.includes('*') || list?.includes(value)
  if (!includes(rule.verbs, access.verb)) return false
  if (access.path !== undefined) {
    const { path } = access
    return (rule.nonResourceURLs ?? []).some((pattern) =>
      pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path,
    )
  }
  if (!includes(rule.apiGroups, access.group ?? '')) return false
  const resource = access.subresource ? `${access.resource}/${access.subresource}` : (access.resource ?? '')
  const anyOfSub = access.subresource ? `*/${access.subresource}` : resource
  if (!includes(rule.resources, resource) && !rule.resources?.includes(anyOfSub)) return false
  if (!rule.resourceNames || rule.resourceNames.length === 0) return true
  return access.name !== undefined && rule.resourceNames.includes(access.name)
}
