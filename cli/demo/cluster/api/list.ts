import type { KubeObject } from '../../../../src/kube/types.ts'
import { ApiError } from '../api-error.ts'
import type { Dict } from '../json.ts'
import { apiVersionOf, type ResourceDefinition } from '../resources/definition.ts'
import type { Store } from '../store/store.ts'
import type { Selection } from './selection.ts'

export interface Page {
  readonly metadata: Dict
  readonly items: readonly KubeObject[]
}

/** One page of a list: all, or at most `limit` after `continue`. */
export function pageOf(
  store: Store,
  definition: ResourceDefinition,
  selection: Selection,
  query: URLSearchParams,
): Page {
  const asked = revisionOf(query)
  if (asked > store.revision) {
    throw new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${store.revision}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    })
  }
  let items = store.list(definition.key).filter(selection)
  const limit = Number(query.get('limit') ?? 0)
  const token = query.get('continue')
  const start = token ? readToken(token) : undefined
  const revision = start?.revision ?? store.revision
  if (start && start.revision < store.forgotten) {
    throw new ApiError(
      410,
      'Expired',
      'The provided continue parameter is too old to display a consistent list result.',
    )
  }
  if (start) items = items.filter((item) => keyOf(item) > start.after)
  const metadata: Dict = { resourceVersion: String(revision) }
  if (limit > 0 && items.length > limit) {
    metadata.remainingItemCount = items.length - limit
    items = items.slice(0, limit)
    const last = items.at(-1)
    if (last) metadata.continue = writeToken(revision, keyOf(last))
  }
  return { metadata, items }
}

/** `ServiceList`. Items of built-in kinds carry neither kind nor apiVersion, as the API server sends them. */
export function listBody(definition: ResourceDefinition, page: Page, custom: boolean): Dict {
  return {
    kind: definition.listKind,
    apiVersion: apiVersionOf(definition),
    metadata: page.metadata,
    items: custom ? page.items : page.items.map(({ kind: _kind, apiVersion: _version, ...rest }) => rest),
  }
}

/** resourceVersion of a list or watch; 0 where none is asked for. */
export function revisionOf(query: URLSearchParams): number {
  const text = query.get('resourceVersion') ?? ''
  if (/^\d*$/.test(text)) return Number(text)
  const why = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
  throw ApiError.badRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: ${why}`)
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

function writeToken(revision: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: after })).toString('base64url')
}

function readToken(token: string): { revision: number; after: string } {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { rv: number; start: string }
    return { revision: Number(rv), after: String(start) }
  } catch (cause) {
    throw ApiError.badRequest(`invalid continue token: continue key is not valid: ${String(cause)}`)
  }
}
