import type { ServerResponse } from 'node:http'
import type { KubeObject } from '../../src/kube/types.ts'
import { json, type SeenRequest, status } from '../kube/fake-api.ts'

/** Keeps whatever is applied, created or deleted, by path; lists by prefix; watches say only what exists. */
export class ObjectApi {
  readonly objects = new Map<string, KubeObject>()
  /** Changes in order: `PATCH /api/...`. */
  readonly changes: string[] = []
  /** What a real cluster's controllers would do to an object that was just written. */
  react: (object: KubeObject) => void = () => undefined
  readonly #watches = new Map<ServerResponse, string>()
  #version = 0

  handle = (request: SeenRequest, response: ServerResponse) => {
    const { method, path, query, body } = request
    if (query.has('watch')) {
      response.writeHead(200)
      response.flushHeaders()
      this.#watches.set(response, path)
      return
    }
    if (method === 'GET') return this.#read(path, response)
    this.changes.push(`${method} ${path}`)
    if (method === 'DELETE') {
      const object = this.objects.get(path)
      if (object === undefined) return status(response, 404, 'NotFound', 'not found')
      this.objects.delete(path)
      this.#tell(path, 'DELETED', object)
      return json(response, {})
    }
    const object = JSON.parse(body) as KubeObject
    const at = method === 'POST' ? `${path}/${object.metadata.name}` : path
    if (query.has('dryRun')) return json(response, object)
    this.put(at, object)
    json(response, this.objects.get(at))
  }

  put(path: string, object: KubeObject): void {
    const before = this.objects.get(path)
    const { resourceVersion: _old, ...metadata } = before?.metadata ?? {}
    const same = before !== undefined && JSON.stringify({ ...before, metadata }) === JSON.stringify(object)
    if (same) return
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: `${++this.#version}` } }
    this.objects.set(path, stored)
    this.react(stored)
    this.#tell(path, before === undefined ? 'ADDED' : 'MODIFIED', stored)
  }

  #read(path: string, response: ServerResponse) {
    const object = this.objects.get(path)
    if (object !== undefined) return json(response, object)
    const isCollection = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(\/namespaces\/[^/]+)?\/[^/]+$/.test(path)
    const isNamespace = /^\/api\/v1\/namespaces\/[^/]+$/.test(path)
    if (!isCollection || isNamespace) return status(response, 404, 'NotFound', `${path} not found`)
    const items = [...this.objects].filter(([key]) => inCollection(key, path)).map(([, one]) => one)
    json(response, { metadata: { resourceVersion: `${this.#version}` }, items })
  }

  #tell(path: string, type: string, object: KubeObject): void {
    for (const [response, watched] of this.#watches) {
      if (inCollection(path, watched)) response.write(`${JSON.stringify({ type, object })}\n`)
    }
  }
}

/** Also a cluster-wide list of namespaced objects. */
function inCollection(path: string, collection: string): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'))
  return parent === collection || parent.replace(/\/namespaces\/[^/]+(?=\/)/, '') === collection
}
