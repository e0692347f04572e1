import type * as z from 'zod'
import { InterceptError } from '../errors.ts'
import type { Intercept } from './intercept.ts'
import { API_VERSION } from './names.ts'
import { interceptSpec, interceptStatus } from './schema.ts'

/** Code 'intercept-invalid'; `field` is the JSON path of the first field that is wrong, such as `spec.ports[0].port`. */
export class InterceptInvalidError extends InterceptError {
  readonly field: string

  constructor(field: string, reason: string) {
    super('intercept-invalid', `${field}: ${reason}`)
    this.name = 'InterceptInvalidError'
    this.field = field
  }
}

/**
 * Validates an object from the API server or from a person, fills in defaults, drops unknown fields of spec and status.
 * Metadata passes as it is. @throws InterceptInvalidError
 */
export function parseIntercept(object: unknown): Intercept {
  if (!isRecord(object)) throw new InterceptInvalidError('.', 'expected an object')
  if (object.apiVersion !== API_VERSION) throw new InterceptInvalidError('apiVersion', `expected ${API_VERSION}`)
  if (object.kind !== 'Intercept') throw new InterceptInvalidError('kind', 'expected Intercept')
  const { metadata } = object
  if (!isRecord(metadata)) throw new InterceptInvalidError('metadata', 'expected an object')
  const { name, namespace } = metadata
  if (typeof name !== 'string' || name === '') throw new InterceptInvalidError('metadata.name', 'expected a name')
  if (typeof namespace !== 'string' || namespace === '') {
    throw new InterceptInvalidError('metadata.namespace', 'expected a namespace')
  }
  const intercept: Intercept = {
    apiVersion: 'intercept.dev/v1alpha1',
    kind: 'Intercept',
    metadata: { ...metadata, name, namespace },
    spec: parsePart('spec', interceptSpec, object.spec),
  }
  if (object.status !== undefined) intercept.status = parsePart('status', interceptStatus, object.status)
  return intercept
}

function parsePart<T>(at: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new InterceptInvalidError(pathOf(at, issue?.path ?? []), issue?.message ?? 'not valid')
}

function pathOf(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`),
    root,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
