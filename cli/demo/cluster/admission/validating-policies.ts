import type { Authorizer } from '../api/authorizer.ts'
import { userInfo } from '../api/reviews.ts'
import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, listOf, stringOf } from '../json.ts'
import { objectSelector } from '../store/label-selector.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { evaluateRule } from './cel.ts'
import { type AccessCheck, CelAuthorizer } from './cel-authorizer.ts'

const group = 'admissionregistration.k8s.io'

/** ValidatingAdmissionPolicies with their bindings, evaluated on create, update and delete. */
export class ValidatingPolicies implements AdmissionPlugin {
  readonly #store: Store
  readonly #authorizer: Authorizer

  constructor(store: Store, authorizer: Authorizer) {
    this.#store = store
    this.#authorizer = authorizer
  }

  validate(request: AdmissionRequest): void {
    if (request.user.name === 'system:kube-controller-manager' || request.definition.group === group) return
    for (const binding of this.#store.list(`validatingadmissionpolicybindings.${group}`) as unknown as Dict[]) {
      const spec = dictOf(binding.spec)
      const policy = this.#store.get(
        `validatingadmissionpolicies.${group}`,
        undefined,
        String(spec.policyName),
      ) as unknown as Dict | undefined
      if (!policy) continue
      const policySpec = dictOf(policy.spec)
      if (!this.#matches(dictOf(policySpec.matchConstraints), request, true)) continue
      if (!this.#matches(dictOf(spec.matchResources), request, false)) continue
      this.#judge(policy, binding, request)
    }
  }

  #judge(policy: Dict, binding: Dict, request: AdmissionRequest): void {
    const spec = dictOf(policy.spec)
    const variables = this.#variables(request, spec, dictOf(binding.spec))
    const ignoresFailure = spec.failurePolicy === 'Ignore'
    for (const condition of listOf(spec.matchConditions).map(dictOf)) {
      const { value, error } = evaluateRule(String(condition.expression), variables)
      if (error !== undefined && !ignoresFailure)
        this.#refuse(policy, binding, request, `match condition error: ${error}`, undefined)
      if (value !== true) return
    }
    for (const validation of listOf(spec.validations).map(dictOf)) {
      const expression = String(validation.expression)
      const { value, error } = evaluateRule(expression, variables)
      if (value === true) continue
      if (error !== undefined) {
        const why = `expression '${expression}' resulted in error: ${error}`
        if (!ignoresFailure) this.#refuse(policy, binding, request, why, undefined)
        continue
      }
      const told =
        validation.messageExpression === undefined
          ? undefined
          : evaluateRule(String(validation.messageExpression), variables).value
      const message = stringOf(told) ?? stringOf(validation.message) ?? `failed expression: ${expression.trim()}`
      this.#refuse(policy, binding, request, message, stringOf(validation.reason))
    }
  }

  #refuse(policy: Dict, binding: Dict, request: AdmissionRequest, message: string, reason: string | undefined): void {
    const names = [dictOf(policy.metadata).name, dictOf(binding.metadata).name]
    const actions = listOf(dictOf(binding.spec).validationActions)
    if (actions.includes('Warn')) {
      request.warnings.push(
        `Validation failed for ValidatingAdmissionPolicy '${names[0]}' with binding '${names[1]}': ${message}`,
      )
    }
    if (!actions.includes('Deny')) return
    const { definition, name } = request
    const why = `ValidatingAdmissionPolicy '${names[0]}' with binding '${names[1]}' denied request: ${message}`
    const code =
      { Unauthorized: 401, Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 }[reason ?? 'Invalid'] ?? 422
    const resource = definition.group === '' ? definition.plural : `${definition.plural}.${definition.group}`
    const subject = name === '' ? resource : `${resource} "${name}"`
    throw new ApiError(code, reason ?? 'Invalid', `${subject} is forbidden: ${why}`, {
      ...(name === '' ? {} : { name }),
      ...(definition.group === '' ? {} : { group: definition.group }),
      kind: definition.plural,
      causes: [{ message: why }],
    })
  }

  #variables(request: AdmissionRequest, spec: Dict, binding: Dict): Record<string, unknown> {
    const { definition, namespace, user, name } = request
    const { group: apiGroup, version, plural, kind } = definition
    const resource = { group: apiGroup, version, resource: plural }
    const allows = (verb: string, check: AccessCheck) =>
      this.#authorizer.allowed(
        user,
        check.path === undefined
          ? {
              verb,
              group: check.group,
              resource: check.resource,
              subresource: check.subresource,
              namespace: check.namespace,
              name: check.name,
            }
          : { verb, path: check.path },
      )
    const own = {
      group: apiGroup,
      resource: plural,
      subresource: request.subresource ?? '',
      namespace: namespace ?? '',
      name,
    }
    const variables: Record<string, unknown> = {
      object: request.object ?? null,
      oldObject: request.oldObject ?? null,
      request: {
        uid: '',
        kind: { group: apiGroup, version, kind },
        resource,
        subResource: request.subresource ?? '',
        requestKind: { group: apiGroup, version, kind },
        requestResource: resource,
        requestSubResource: request.subresource ?? '',
        name,
        namespace: namespace ?? '',
        operation: request.operation,
        userInfo: { extra: {}, ...userInfo(user) },
        dryRun: request.dryRun,
      },
      namespaceObject: namespace === undefined ? null : (this.#store.get('namespaces', undefined, namespace) ?? null),
      params: this.#params(spec, binding, namespace),
      authorizer: new CelAuthorizer(allows, own),
    }
    const computed: Record<string, unknown> = {}
    variables.variables = computed
    for (const variable of listOf(spec.variables).map(dictOf)) {
      computed[String(variable.name)] = evaluateRule(String(variable.expression), variables).value ?? null
    }
    return variables
  }

  #params(spec: Dict, binding: Dict, namespace: string | undefined): unknown {
    const { kind } = dictOf(spec.paramKind)
    const reference = dictOf(binding.paramRef)
    if (kind !== 'ConfigMap' || typeof reference.name !== 'string') return null
    return this.#store.get('configmaps', stringOf(reference.namespace) ?? namespace, reference.name) ?? null
  }

  #matches(constraints: Dict, request: AdmissionRequest, needsRules: boolean): boolean {
    const { definition, operation, subresource, namespace } = request
    const resource = subresource === undefined ? definition.plural : `${definition.plural}/${subresource}`
    const covers = (rule: Dict) => {
      const includes = (list: unknown, ...values: string[]) =>
        listOf(list).some((each) => each === '*' || values.includes(String(each)))
      const names = listOf(rule.resourceNames)
      const wildcards = subresource === undefined ? ['*/*'] : ['*/*', `*/${subresource}`, `${definition.plural}/*`]
      return (
        includes(rule.apiGroups, definition.group) &&
        includes(rule.apiVersions, definition.version) &&
        includes(rule.operations, operation) &&
        (subresource === undefined
          ? includes(rule.resources, resource, ...wildcards)
          : listOf(rule.resources).some((each) => [resource, ...wildcards].includes(String(each)))) &&
        (names.length === 0 || names.includes(request.name))
      )
    }
    const rules = listOf(constraints.resourceRules).map(dictOf)
    if ((needsRules || rules.length > 0) && !rules.some(covers)) return false
    if (listOf(constraints.excludeResourceRules).map(dictOf).some(covers)) return false
    const labels = (object: Dict | undefined) => dictOf(dictOf(object?.metadata).labels) as Record<string, string>
    if (constraints.namespaceSelector && namespace !== undefined) {
      const home = this.#store.get('namespaces', undefined, namespace)
      if (!objectSelector(constraints.namespaceSelector)(home?.metadata.labels)) return false
    }
    if (!constraints.objectSelector) return true
    const selects = objectSelector(constraints.objectSelector)
    return [request.object, request.oldObject].some((object) => object !== undefined && selects(labels(object)))
  }
}
