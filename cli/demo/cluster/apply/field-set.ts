import { type Dict, dictOf, isDict } from '../json.ts'
import { fieldShape, type Shape } from '../store/shape.ts'

/**
 * Path of a field: its elements as FieldsV1 writes them (`f:spec`, `k:{"port":80}`, `v:"x"`), each after a line feed.
 * https://github.com/kubernetes-sigs/structured-merge-diff names the grammar.
 */
export type FieldPath = string
export type FieldSet = Set<FieldPath>

const separator = '\n'

/** Fields with their values. Items of a map list stand for themselves too, with an undefined value. */
export function leavesOf(object: unknown, shape: Shape | undefined): Map<FieldPath, unknown> {
  const leaves = new Map<FieldPath, unknown>()
  collect(object, shape, '', leaves)
  for (const path of leaves.keys()) if (isUntracked(path)) leaves.delete(path)
  return leaves
}

function collect(value: unknown, shape: Shape | undefined, path: FieldPath, leaves: Map<FieldPath, unknown>): void {
  if (Array.isArray(value) && value.length > 0 && shape?.list === 'map') {
    for (const item of value) {
      const itemPath = `${path}${separator}${itemElement(item, shape)}`
      leaves.set(itemPath, undefined)
      if (!shape.items?.atomic) collect(item, shape.items, itemPath, leaves)
    }
    return
  }
  if (Array.isArray(value) && value.length > 0 && shape?.list === 'set') {
    for (const item of value) leaves.set(`${path}${separator}v:${JSON.stringify(item)}`, item)
    return
  }
  if (isDict(value) && !shape?.atomic && Object.keys(value).length > 0) {
    for (const [key, child] of Object.entries(value)) {
      if (child !== undefined) collect(child, fieldShape(shape, key), `${path}${separator}f:${key}`, leaves)
    }
    return
  }
  if (path !== '') leaves.set(path, value)
}

/** `k:{...}` of an item of a map list, keys in alphabetical order. */
export function itemElement(item: unknown, shape: Shape): string {
  const keys: Dict = {}
  for (const key of [...(shape.keys ?? [])].sort()) {
    const value = dictOf(item)[key] ?? shape.keyDefaults?.[key]
    if (value !== undefined) keys[key] = value
  }
  return `k:${JSON.stringify(keys)}`
}

const untrackedMetadata = new Set(
  'name namespace uid resourceVersion generation creationTimestamp selfLink managedFields deletionTimestamp deletionGracePeriodSeconds'.split(
    ' ',
  ),
)

function isUntracked(path: FieldPath): boolean {
  const [, first, second] = path.split(separator)
  if (first === 'f:apiVersion' || first === 'f:kind') return true
  if (first !== 'f:metadata') return false
  return second === undefined || untrackedMetadata.has(second.slice(2))
}

export function elementsOf(path: FieldPath): string[] {
  return path.split(separator).slice(1)
}

export function childPath(path: FieldPath, element: string): FieldPath {
  return `${path}${separator}${element}`
}

export function isBelow(path: FieldPath, ancestor: FieldPath): boolean {
  return path.startsWith(`${ancestor}${separator}`)
}

/** As `managedFields[].fieldsV1` holds it. */
export function toFieldsV1(set: FieldSet): Dict {
  const root: Dict = {}
  for (const path of [...set].sort()) {
    let at = root
    for (const element of elementsOf(path)) {
      at[element] ??= {}
      at = at[element] as Dict
    }
    at['.'] = {}
  }
  dropLonelyDots(root)
  return root
}

function dropLonelyDots(node: Dict): void {
  for (const child of Object.values(node)) dropLonelyDots(child as Dict)
  if (Object.keys(node).length === 1) delete node['.']
}

export function fromFieldsV1(fields: unknown): FieldSet {
  const set: FieldSet = new Set()
  const walk = (node: Dict, path: string) => {
    const keys = Object.keys(node)
    if (keys.length === 0 && path !== '') set.add(path)
    for (const key of keys) {
      if (key === '.') set.add(path)
      else walk(dictOf(node[key]), `${path}${separator}${key}`)
    }
  }
  walk(dictOf(fields), '')
  return set
}

/** `.spec.ports[port=80,protocol="TCP"].name`, as conflicts name it. */
export function describePath(path: FieldPath): string {
  return elementsOf(path)
    .map((element) => {
      const body = element.slice(2)
      if (element.startsWith('f:')) return `.${body}`
      if (element.startsWith('v:')) return `[=${body}]`
      const pairs = Object.entries(JSON.parse(body) as Dict).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      return `[${pairs.join(',')}]`
    })
    .join('')
}
