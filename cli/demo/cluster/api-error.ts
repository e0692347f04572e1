import type { ResourceType } from '../../../src/kube/types.ts'
import type { Dict } from './json.ts'

export interface FieldError {
  /** FieldValueInvalid, FieldValueRequired, ... */
  readonly reason: string
  readonly field: string
  readonly message: string
}

/** Resource or kind, and the group, as `details` and the messages name them. */
type Named = Pick<ResourceType, 'group' | 'plural' | 'kind'>

/** An answer of the API server that is a failed Status; thrown by anything that handles a request. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: string | undefined
  readonly details: Dict | undefined

  constructor(code: number, reason: string | undefined, message: string, details?: Dict) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.reason = reason
    this.details = details
  }

  status(): Dict {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    }
  }

  static badRequest(message: string): ApiError {
    return new ApiError(400, 'BadRequest', message)
  }

  static unauthorized(): ApiError {
    return new ApiError(401, 'Unauthorized', 'Unauthorized')
  }

  static notFound(type: Named, name: string): ApiError {
    return new ApiError(404, 'NotFound', `${qualified(type)} "${name}" not found`, detailsOf(type, name))
  }

  static noResource(): ApiError {
    return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
  }

  static alreadyExists(type: Named, name: string): ApiError {
    return new ApiError(409, 'AlreadyExists', `${qualified(type)} "${name}" already exists`, detailsOf(type, name))
  }

  static conflict(type: Named, name: string, why = modified): ApiError {
    const message = `Operation cannot be fulfilled on ${qualified(type)} "${name}": ${why}`
    return new ApiError(409, 'Conflict', message, detailsOf(type, name))
  }

  static forbidden(type: Named | undefined, name: string, why: string): ApiError {
    if (!type) return new ApiError(403, 'Forbidden', `forbidden: ${why}`, {})
    const subject = name === '' ? qualified(type) : `${qualified(type)} "${name}"`
    return new ApiError(403, 'Forbidden', `${subject} is forbidden: ${why}`, detailsOf(type, name))
  }

  static invalid(type: Named, name: string, errors: readonly FieldError[]): ApiError {
    const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`
    const texts = errors.map((error) => `${error.field}: ${error.message}`)
    const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
    return new ApiError(422, 'Invalid', `${kind} "${name}" is invalid: ${text}`, {
      ...(name === '' ? {} : { name }),
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.kind,
      causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
    })
  }

  static expired(revision: number, oldest: number): ApiError {
    return new ApiError(410, 'Expired', `too old resource version: ${revision} (${oldest})`)
  }

  static methodNotAllowed(): ApiError {
    return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
  }

  static unavailable(message: string): ApiError {
    return new ApiError(503, 'ServiceUnavailable', message)
  }
}

const modified = 'the object has been modified; please apply your changes to the latest version and try again'

function qualified(type: Named): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`
}

function detailsOf(type: Named, name: string): Dict {
  return { ...(name === '' ? {} : { name }), ...(type.group === '' ? {} : { group: type.group }), kind: type.plural }
}
