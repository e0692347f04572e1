import { ApiError } from '../api-error.ts'

/** What a request asks for, read from method, path and query as the API server reads it. */
export interface RequestInfo {
  readonly verb: string
  readonly path: string
  readonly query: URLSearchParams
  /** undefined for paths that are no resource: /version, /healthz, discovery. */
  readonly resource: ResourceRequest | undefined
}

export interface ResourceRequest {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  /** Of proxy requests: the path behind `proxy`, still encoded; undefined where not even a slash follows. */
  readonly rest: string | undefined
}

const methodVerbs: Record<string, string> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

export function readRequest(method: string, url: string): RequestInfo {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
  const base = { path, query, verb: method.toLowerCase() }
  const [, root, ...segments] = path.split('/')
  let group = ''
  if (root === 'apis') group = segments.shift() ?? ''
  else if (root !== 'api') return { ...base, resource: undefined }
  const version = segments.shift()
  if (!version || segments.length === 0 || segments[0] === '') return { ...base, resource: undefined }
  const resource = resourceOf(group, version, segments)
  return { ...base, resource, verb: verbOf(method, resource, query) }
}

function resourceOf(group: string, version: string, segments: readonly string[]): ResourceRequest {
  let rest = [...segments]
  let watching = false
  if (rest[0] === 'watch') {
    watching = true
    rest = rest.slice(1)
  }
  let namespace: string | undefined
  const namespaceSubresources = ['status', 'finalize']
  if (rest[0] === 'namespaces' && rest.length > 2 && !namespaceSubresources.includes(rest[2] ?? '')) {
    namespace = decode(rest[1])
    rest = rest.slice(2)
  } else if (rest[0] === 'namespaces' && rest.length >= 2) namespace = decode(rest[1])
  const [plural = '', name, subresource, ...tail] = rest
  const behind = subresource === 'proxy' && tail.length > 0 ? `/${tail.join('/')}` : undefined
  return {
    group,
    version,
    plural: watching && plural === '' ? 'namespaces' : plural,
    namespace,
    name: name === undefined || name === '' ? undefined : decode(name),
    subresource: subresource === undefined || subresource === '' ? undefined : decode(subresource),
    rest: behind,
  }
}

function verbOf(method: string, resource: ResourceRequest, query: URLSearchParams): string {
  const verb = methodVerbs[method]
  if (!verb) throw ApiError.methodNotAllowed()
  if (resource.name !== undefined) return verb
  if (verb === 'get') return isTrue(query.get('watch')) ? 'watch' : 'list'
  return verb === 'delete' ? 'deletecollection' : verb
}

/** As Go's strconv.ParseBool reads it; an empty value counts as true, as in `?watch`. */
export function isTrue(value: string | null): boolean {
  return value !== null && ['', '1', 't', 'T', 'true', 'True', 'TRUE'].includes(value)
}

function decode(segment: string | undefined): string {
  try {
    return decodeURIComponent(segment ?? '')
  } catch (cause) {
    throw ApiError.badRequest(`invalid URL escape ${JSON.stringify(segment)}: ${String(cause)}`)
  }
}
