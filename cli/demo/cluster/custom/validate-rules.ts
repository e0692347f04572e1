import { evaluateRule } from '../admission/cel.ts'
import type { FieldError } from '../api-error.ts'
import { isDict } from '../json.ts'
import type { Schema, ValidationRule } from './schema.ts'

/** x-kubernetes-validations: CEL rules over `self`, and `oldSelf` where there was one. */
export function validateRules(value: unknown, old: unknown, schema: Schema, path: string): FieldError[] {
  const errors = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) => check(rule, value, old, path))
  if (Array.isArray(value) && schema.items) {
    const { items } = schema
    const keys = schema['x-kubernetes-list-map-keys']
    const oldItems = Array.isArray(old) && keys ? old : []
    for (const [index, item] of value.entries()) {
      const before = oldItems.find(
        (other) => isDict(other) && isDict(item) && keys?.every((key) => other[key] === item[key]),
      )
      errors.push(...validateRules(item, before, items, `${path}[${index}]`))
    }
  }
  if (!isDict(value)) return errors
  for (const [key, child] of Object.entries(value)) {
    const known =
      schema.properties?.[key] ??
      (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
    if (known && child !== undefined) {
      errors.push(
        ...validateRules(child, isDict(old) ? old[key] : undefined, known, path === '' ? key : `${path}.${key}`),
      )
    }
  }
  return errors
}

function check(rule: ValidationRule, self: unknown, oldSelf: unknown, path: string): FieldError[] {
  const transition = /\boldSelf\b/.test(rule.rule)
  if (transition && oldSelf === undefined && !rule.optionalOldSelf) return []
  const variables = { self, ...(transition ? { oldSelf: oldSelf ?? null } : {}) }
  const field = `${path}${rule.fieldPath ?? ''}` || '<nil>'
  const shown =
    isDict(self) || Array.isArray(self) ? JSON.stringify(isDict(self) ? 'object' : 'array') : JSON.stringify(self)
  const reason = rule.reason ?? 'FieldValueInvalid'
  const message = (text: string) => [{ reason, field, message: `Invalid value: ${shown}: ${text}` }]
  const outcome = evaluateRule(rule.rule, variables)
  if (outcome.error !== undefined) return message(`rule evaluation error: ${outcome.error}`)
  if (outcome.value === true) return []
  const told = rule.messageExpression === undefined ? undefined : evaluateRule(rule.messageExpression, variables).value
  return message(typeof told === 'string' && told !== '' ? told : (rule.message ?? `failed rule: ${rule.rule}`))
}
