import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, isDict, sameJson } from '../json.ts'

const rejected = () =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

/** JSON Patch (RFC 6902). The document is not changed. Throws ApiError where an operation cannot be applied. */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw ApiError.badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  let result = structuredClone(document)
  for (const entry of patch) {
    const { op, path, from, value } = dictOf(entry)
    if (typeof path !== 'string') throw rejected()
    switch (op) {
      case 'add':
        result = insert(result, parse(path), structuredClone(value))
        break
      case 'remove':
        remove(result, parse(path))
        break
      case 'replace':
        read(result, parse(path))
        result = write(result, parse(path), structuredClone(value))
        break
      case 'move': {
        const moved = read(result, parse(String(from)))
        remove(result, parse(String(from)))
        result = insert(result, parse(path), moved)
        break
      }
      case 'copy':
        result = insert(result, parse(path), structuredClone(read(result, parse(String(from)))))
        break
      case 'test':
        if (!sameJson(lookup(result, parse(path)) ?? null, value ?? null)) throw rejected()
        break
      default:
        throw rejected()
    }
  }
  return result
}

function parse(pointer: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw rejected()
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function lookup(document: unknown, path: readonly string[]): unknown {
  let at = document
  for (const key of path) {
    if (Array.isArray(at)) at = at[indexOf(key, at.length - 1)]
    else if (isDict(at)) at = at[key]
    else throw rejected()
  }
  return at
}

function read(document: unknown, path: readonly string[]): unknown {
  const found = lookup(document, path)
  if (found === undefined) throw rejected()
  return found
}

function parentOf(document: unknown, path: readonly string[]): [unknown[] | Dict, string] {
  const parent = read(document, path.slice(0, -1))
  const key = path.at(-1)
  if (key === undefined || (!isDict(parent) && !Array.isArray(parent))) throw rejected()
  return [parent, key]
}

function insert(document: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value
  const [parent, key] = parentOf(document, path)
  if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : indexOf(key, parent.length), 0, value)
  else parent[key] = value
  return document
}

function write(document: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value
  const [parent, key] = parentOf(document, path)
  if (Array.isArray(parent)) parent[indexOf(key, parent.length - 1)] = value
  else parent[key] = value
  return document
}

function remove(document: unknown, path: readonly string[]): void {
  const [parent, key] = parentOf(document, path)
  if (Array.isArray(parent)) parent.splice(indexOf(key, parent.length - 1), 1)
  else if (Object.hasOwn(parent, key)) delete parent[key]
  else throw rejected()
}

function indexOf(key: string, last: number): number {
  const index = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : -1
  if (index < 0 || index > last) throw rejected()
  return index
}
