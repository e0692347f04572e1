import { codeOf, InterceptError, messageOf } from '../errors.ts'

export type KubeErrorCode =
  | 'api-unreachable'
  | 'credentials-expired'
  | 'forbidden'
  /** An admission policy or webhook said no; the message is its own. */
  | 'denied'
  | 'not-found'
  | 'conflict'
  | 'already-exists'
  | 'invalid'
  | 'timeout'
  | 'gone'
  | 'too-many-requests'
  /** Any other answer of the API server that is not a success. */
  | 'api-error'
  | 'aborted'
  | 'context-unknown'
  | 'kubeconfig-missing'
  | 'kubeconfig-invalid'
  | 'port-forward-failed'
  /** A command could not be started in a container. */
  | 'exec-failed'

/** What was asked of the API server, as RBAC sees it. */
export interface Attempt {
  readonly server: string
  readonly context: string
  readonly verb: string
  readonly path: string
  readonly group?: string | undefined
  /** With subresource: `pods/proxy`. */
  readonly resource?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
}

/** The `Status` object with which the API server refuses. */
export interface StatusBody {
  kind?: string
  code?: number
  reason?: string
  message?: string
  details?: { causes?: { reason?: string; message?: string; field?: string }[]; retryAfterSeconds?: number }
}

export class KubeError extends InterceptError {
  declare readonly code: KubeErrorCode
  /** HTTP status; 0 where no answer came. */
  readonly status: number
  /** `reason` of the API server's Status, such as AlreadyExists; '' where there is none. */
  readonly reason: string
  /** The user name that the API server saw, where its message names one. */
  readonly user: string | undefined

  constructor(
    code: KubeErrorCode,
    message: string,
    options: {
      status?: number
      reason?: string
      user?: string | undefined
      fix?: string | undefined
      cause?: unknown
    } = {},
  ) {
    super(code, message, options)
    this.name = 'KubeError'
    this.status = options.status ?? 0
    this.reason = options.reason ?? ''
    this.user = options.user
  }
}

export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code))
}

/** A KubeError for an HTTP answer that is not a success. `body` is its text. */
export function errorFromResponse(status: number, body: string, attempt: Attempt): KubeError {
  const answer = statusBodyOf(body)
  const reason = answer?.reason ?? ''
  const text = answer?.message ?? (body.slice(0, 300).trim() || `HTTP ${status}`)
  const code = codeOfResponse(status, reason, text)
  const base = { status, reason }
  if (code === 'forbidden') return forbidden(rbacDenial.exec(text)?.[1], attempt, base)
  if (code === 'credentials-expired') {
    return new KubeError(
      code,
      `The API server ${attempt.server} does not accept the credentials of context '${attempt.context}': ${text}`,
      {
        ...base,
        fix: `Log in again, then see whether this works: kubectl --context ${attempt.context} auth whoami`,
      },
    )
  }
  if (code === 'denied') return new KubeError(code, denialOf(text), base)
  return new KubeError(code, `${attempt.verb} ${subjectOf(attempt)}: ${text}`, base)
}

/** The KubeError of what the authorizer (SelfSubjectAccessReview) says that the user, where known by name, may not. */
export function errorFromReview(attempt: Attempt, user: string | undefined): KubeError {
  return forbidden(user, attempt, { status: 403, reason: 'Forbidden' })
}

/** A KubeError for a connection that gave no answer. */
export function errorFromTransport(error: unknown, attempt: Attempt): KubeError {
  if (error instanceof KubeError) return error
  return new KubeError('api-unreachable', `The API server ${attempt.server} does not answer: ${describe(error)}`, {
    cause: error,
    fix: `Is the VPN up? This should answer: kubectl --context ${attempt.context} get --raw /readyz`,
  })
}

function describe(error: unknown): string {
  const text = messageOf(error)
  if (text !== '') return text
  // AggregateError of a dual-stack connect has its reasons inside and no message.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return codeOf(error) ?? 'unknown failure'
}

const codesByReason: Readonly<Record<string, KubeErrorCode>> = {
  AlreadyExists: 'already-exists',
  Conflict: 'conflict',
  Expired: 'gone',
  Gone: 'gone',
  Timeout: 'timeout',
  ServerTimeout: 'timeout',
}

const codesByStatus: Readonly<Record<number, KubeErrorCode>> = {
  400: 'invalid',
  401: 'credentials-expired',
  404: 'not-found',
  408: 'timeout',
  409: 'conflict',
  410: 'gone',
  422: 'invalid',
  429: 'too-many-requests',
  502: 'api-unreachable',
  503: 'api-unreachable',
  504: 'timeout',
}

const rbacDenial = /User "([^"]*)" cannot/
const admissionDenial = /(?:denied request|denied the request)(?::\s*|$)/

function codeOfResponse(status: number, reason: string, text: string): KubeErrorCode {
  if (admissionDenial.test(text)) return 'denied'
  if (status === 403) return rbacDenial.test(text) ? 'forbidden' : 'denied'
  return codesByReason[reason] ?? codesByStatus[status] ?? 'api-error'
}

/** `... ValidatingAdmissionPolicy 'x' with binding 'y' denied request: TEXT` -> TEXT. */
function denialOf(text: string): string {
  const found = admissionDenial.exec(text)
  const rest = found === null ? '' : text.slice(found.index + found[0].length)
  return rest === '' ? text : rest
}

function forbidden(user: string | undefined, attempt: Attempt, base: { status: number; reason: string }): KubeError {
  const where = attempt.namespace === undefined ? 'in the whole cluster' : `in namespace ${attempt.namespace}`
  const who = user === undefined ? 'You' : `User ${user}`
  return new KubeError('forbidden', `${who} may not ${attempt.verb} ${resourceOf(attempt)} ${where}.`, {
    ...base,
    user,
    fix: grantFor(attempt, user),
  })
}

const coveredByUserRole = new Set(['intercepts.intercept.dev', 'services', 'endpointslices.discovery.k8s.io', 'pods'])
const userRoleWrites = new Set(['intercepts.intercept.dev'])
const readVerbs = new Set(['get', 'list', 'watch'])

/** What an administrator types. */
function grantFor(attempt: Attempt, user: string | undefined): string | undefined {
  if (attempt.resource === undefined) return undefined
  const resource = resourceOf(attempt)
  const subject = subjectFlag(user ?? 'USER')
  const covered = coveredByUserRole.has(resource) && (readVerbs.has(attempt.verb) || userRoleWrites.has(resource))
  if (covered && attempt.namespace !== undefined) {
    return `An administrator types: kubectl create rolebinding intercept-user --clusterrole=intercept-user ${subject} -n ${attempt.namespace}`
  }
  const scope = attempt.namespace === undefined ? 'clusterrole' : 'role'
  const flag = attempt.namespace === undefined ? '' : ` -n ${attempt.namespace}`
  const name = `intercept-${attempt.verb}-${attempt.resource.replace('/', '-')}`
  return `An administrator types: kubectl create ${scope} ${name} --verb=${attempt.verb} --resource=${resource}${flag} && kubectl create ${scope}binding ${name} --${scope}=${name} ${subject}${flag}`
}

function subjectFlag(user: string): string {
  const account = /^system:serviceaccount:([^:]+):(.+)$/.exec(user)
  if (account !== null) return `--serviceaccount=${account[1]}:${account[2]}`
  return /^[\w.@:/+-]+$/.test(user) ? `--user=${user}` : `--user='${user.replaceAll("'", "'\\''")}'`
}

/** As kubectl and RBAC write it: `intercepts.intercept.dev`, `pods/proxy`. */
function resourceOf({ resource = '', group }: Attempt): string {
  if (!group) return resource
  const [plural, subresource] = resource.split('/')
  return subresource === undefined ? `${plural}.${group}` : `${plural}.${group}/${subresource}`
}

function subjectOf(attempt: Attempt): string {
  if (attempt.resource === undefined) return attempt.path
  const place = attempt.namespace === undefined ? '' : `${attempt.namespace}/`
  return `${resourceOf(attempt)} ${place}${attempt.name ?? ''}`.trim()
}

function statusBodyOf(body: string): StatusBody | undefined {
  if (!body.startsWith('{')) return undefined
  try {
    const value = JSON.parse(body) as StatusBody
    return value.kind === 'Status' ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
