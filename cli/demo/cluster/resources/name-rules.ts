import { randomInt } from 'node:crypto'
import type { FieldError } from '../api-error.ts'
import type { ResourceDefinition } from './definition.ts'

const letters = 'bcdfghjklmnpqrstvwxz2456789'

/** Five letters as Kubernetes appends them to generateName. */
export function nameSuffix(length = 5): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('')
}

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

/** Services have a rule of their own (DNS-1035); RBAC names may hold anything that a path segment may. */
export function validateName(definition: ResourceDefinition, name: string): FieldError[] {
  const invalid = (why: string): FieldError[] => [
    { reason: 'FieldValueInvalid', field: 'metadata.name', message: `Invalid value: ${JSON.stringify(name)}: ${why}` },
  ]
  if (definition.group === 'rbac.authorization.k8s.io') {
    return /[/%]/.test(name) || name === '.' || name === '..' ? invalid("may not contain '/' or '%'") : []
  }
  if (definition.key === 'services') return []
  if (name.length > 253) return invalid('must be no more than 253 characters')
  if (definition.key === 'namespaces')
    return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= 63 ? [] : invalid(label)
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name) ? [] : invalid(subdomain)
}
