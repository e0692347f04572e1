import type { ServerResponse } from 'node:http'
import type { KubeObject } from '../../../../src/kube/types.ts'
import { ApiError } from '../api-error.ts'
import type { Dict } from '../json.ts'
import { apiVersionOf, type ResourceDefinition } from '../resources/definition.ts'
import type { Store, StoreEvent } from '../store/store.ts'
import { revisionOf } from './list.ts'
import { isTrue } from './request-info.ts'
import type { Selection } from './selection.ts'
import { tableOf, wantsTable } from './table.ts'

const bookmarkMs = 60_000
const longestMs = 30 * 60_000
/** A watch whose client does not read is ended. */
const maxBacklogBytes = 16 * 1024 * 1024

/** Encoded objects, since many watches send the same one. */
const encoded = new WeakMap<KubeObject, string>()

/** Streams the changes of a list as JSON lines until the client leaves, timeoutSeconds pass, or the server closes it. */
export function serveWatch(
  store: Store,
  definition: ResourceDefinition,
  selection: Selection,
  query: URLSearchParams,
  accept: string | undefined,
  response: ServerResponse,
): void {
  const table = wantsTable(accept)
  const revision = revisionOf(query)
  let header = true
  const encode = (object: KubeObject): string => {
    if (!table) return encodeObject(object)
    const rows = tableOf(
      definition,
      [object],
      { resourceVersion: object.metadata.resourceVersion },
      query.get('includeObject'),
      header,
    )
    header = false
    return JSON.stringify(rows)
  }
  const send = (type: string, object: string) => {
    response.write(`{"type":"${type}","object":${object}}\n`)
    if (response.writableLength > maxBacklogBytes) response.destroy()
  }
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
  response.flushHeaders()

  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  const bookmark = (annotations?: Dict) =>
    send(
      'BOOKMARK',
      JSON.stringify({
        kind: definition.kind,
        apiVersion: apiVersionOf(definition),
        metadata: {
          resourceVersion: String(store.revision),
          creationTimestamp: null,
          ...(annotations ? { annotations } : {}),
        },
      }),
    )

  if (revision === 0 || isTrue(query.get('sendInitialEvents'))) {
    for (const object of store.list(definition.key)) if (selection(object)) send('ADDED', encode(object))
    if (isTrue(query.get('sendInitialEvents')) && bookmarks) bookmark({ 'k8s.io/initial-events-end': 'true' })
  } else {
    const missed = store.since(definition.key, revision)
    if (!missed) {
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: ApiError.expired(revision, store.forgotten).status() })}\n`,
      )
      return
    }
    for (const event of missed) relay(event)
  }

  function relay(event: StoreEvent): void {
    if (event.resource !== definition.key) return
    const now = event.type !== 'DELETED' && selection(event.object)
    const before = event.previous !== undefined && selection(event.previous)
    if (now) send(before ? 'MODIFIED' : 'ADDED', encode(event.object))
    else if (before) send('DELETED', encode(event.type === 'DELETED' ? event.object : lastSeen(event)))
  }
  const forget = store.onEvent(relay)
  const beat = bookmarks ? setInterval(bookmark, bookmarkMs).unref() : undefined
  const seconds = Number(query.get('timeoutSeconds') ?? 0)
  const limit = setTimeout(() => response.end(), seconds > 0 ? seconds * 1_000 : longestMs).unref()
  response.on('close', () => {
    forget()
    clearInterval(beat)
    clearTimeout(limit)
  })
}

/** An object that left the selection: its last matching state, at the revision at which it left. */
function lastSeen({ previous, object }: StoreEvent): KubeObject {
  if (!previous) return object
  const { resourceVersion } = object.metadata
  return {
    ...previous,
    metadata: { ...previous.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  }
}

function encodeObject(object: KubeObject): string {
  let text = encoded.get(object)
  if (text === undefined) {
    text = JSON.stringify(object)
    encoded.set(object, text)
  }
  return text
}
