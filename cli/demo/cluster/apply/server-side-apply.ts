import { ApiError } from '../api-error.ts'
import { type Dict, isDict, sameJson } from '../json.ts'
import { fieldShape, type Shape } from '../store/shape.ts'
import { timestamp } from '../timestamp.ts'
import {
  childPath,
  describePath,
  elementsOf,
  type FieldPath,
  type FieldSet,
  isBelow,
  itemElement,
  leavesOf,
} from './field-set.ts'
import {
  changesBetween,
  type ManagedEntry,
  type Manager,
  readManagers,
  sameManager,
  writeManagers,
} from './managed-fields.ts'

/**
 * Server-side apply: merges `config` into `live`, removes what this manager applied before and no longer does, and
 * returns the new object with its managedFields. `live` is an empty object where it does not exist.
 * Throws ApiError Conflict where another manager owns a field that would change, unless `force`.
 */
export function applyConfig(live: Dict, config: Dict, shape: Shape, manager: Manager, force: boolean): Dict {
  const before = readManagers((live.metadata as Dict | undefined)?.managedFields)
  const entries = before.map((entry) => ({ ...entry, fields: new Set(entry.fields) }))
  const applied: FieldSet = new Set(leavesOf(config, shape).keys())
  const merged = merge(live, config, shape) as Dict
  const { changed } = changesBetween(live, merged, shape)
  const others = entries.filter((entry) => !sameManager(entry, manager))
  settleConflicts(others, changed, force)
  const own = entries.find((entry) => sameManager(entry, manager))
  if (own) {
    const dropped = [...own.fields].filter((path) => !applied.has(path))
    // Whole items first: what identifies an item must be there when it is looked for.
    for (const path of dropped.sort((a, b) => elementsOf(a).length - elementsOf(b).length)) {
      prune(merged, path, others, applied, shape)
    }
    if (!sameSet(own.fields, applied)) own.time = timestamp()
    own.fields = applied
  } else {
    entries.push({ ...manager, time: timestamp(), fields: applied })
  }
  const metadata = { ...(merged.metadata as Dict), managedFields: writeManagers(entries) }
  return { ...merged, metadata }
}

function merge(live: unknown, config: unknown, shape: Shape | undefined): unknown {
  if (Array.isArray(config) && Array.isArray(live) && shape?.list === 'map') {
    const result = [...live]
    for (const item of config) {
      const element = itemElement(item, shape)
      const at = result.findIndex((other) => itemElement(other, shape) === element)
      if (at < 0) result.push(item)
      else result[at] = shape.items?.atomic ? item : merge(result[at], item, shape.items)
    }
    return result
  }
  if (Array.isArray(config) && Array.isArray(live) && shape?.list === 'set') {
    return [...live, ...config.filter((item) => !live.some((other) => sameJson(other, item)))]
  }
  if (isDict(config) && isDict(live) && !shape?.atomic) {
    const result: Dict = { ...live }
    for (const [key, value] of Object.entries(config)) {
      if (key === 'managedFields') continue
      result[key] = merge(result[key], value, fieldShape(shape, key))
    }
    return result
  }
  return config
}

function settleConflicts(others: readonly ManagedEntry[], changed: FieldSet, force: boolean): void {
  const conflicts: { entry: ManagedEntry; paths: FieldPath[] }[] = []
  for (const entry of others) {
    const paths = [...entry.fields].filter((path) => changed.has(path))
    if (paths.length > 0) conflicts.push({ entry, paths })
  }
  if (conflicts.length === 0) return
  if (force) {
    for (const { entry, paths } of conflicts) for (const path of paths) entry.fields.delete(path)
    return
  }
  const count = conflicts.reduce((sum, { paths }) => sum + paths.length, 0)
  const who = (entry: ManagedEntry) =>
    `"${entry.name}"${entry.subresource ? ` with subresource "${entry.subresource}"` : ''} using ${entry.apiVersion}`
  const lines = conflicts.map(({ entry, paths }) =>
    paths.length === 1
      ? `conflict with ${who(entry)}: ${describePath(paths[0] ?? '')}`
      : `conflicts with ${who(entry)}:\n${paths.map((path) => `- ${describePath(path)}`).join('\n')}`,
  )
  throw new ApiError(
    409,
    'Conflict',
    `Apply failed with ${count} conflict${count === 1 ? '' : 's'}: ${lines.join('\n')}`,
    {
      causes: conflicts.flatMap(({ entry, paths }) =>
        paths.map((path) => ({
          reason: 'FieldManagerConflict',
          message: `conflict with ${who(entry)}`,
          field: describePath(path),
        })),
      ),
    },
  )
}

/** Removes the field from the object unless someone else owns it or a part of it; also what is then empty. */
function prune(root: Dict, path: FieldPath, others: readonly ManagedEntry[], applied: FieldSet, shape: Shape): void {
  const owned = (fields: FieldSet) => fields.has(path) || [...fields].some((other) => isBelow(other, path))
  if (owned(applied) || others.some((entry) => owned(entry.fields))) return
  removeAt(root, elementsOf(path), shape, '', applied)
}

/** `at`: path of the container. An emptied one goes too, unless it is itself applied. */
function removeAt(
  container: unknown,
  elements: readonly string[],
  shape: Shape | undefined,
  at: FieldPath,
  applied: FieldSet,
): void {
  const [element, ...rest] = elements
  if (element === undefined) return
  const path = childPath(at, element)
  if (Array.isArray(container)) {
    const index = container.findIndex((item) =>
      element.startsWith('k:') ? itemElement(item, shape ?? {}) === element : `v:${JSON.stringify(item)}` === element,
    )
    if (index < 0) return
    if (rest.length === 0) container.splice(index, 1)
    else removeAt(isolate(container, index), rest, shape?.items, path, applied)
    return
  }
  if (!isDict(container)) return
  const key = element.slice(2)
  if (rest.length === 0) {
    delete container[key]
    return
  }
  const child = isolate(container, key)
  removeAt(child, rest, fieldShape(shape, key), path, applied)
  const empty = Array.isArray(child) ? child.length === 0 : isDict(child) && Object.keys(child).length === 0
  if (empty && !applied.has(path)) delete container[key]
}

/** The child, replaced by a shallow copy, so that what `live` shares is not changed. */
function isolate(container: Dict | unknown[], key: string | number): unknown {
  const holder = container as Record<string | number, unknown>
  const child = holder[key]
  const copy = Array.isArray(child) ? [...child] : isDict(child) ? { ...child } : child
  holder[key] = copy
  return copy
}

function sameSet(a: FieldSet, b: FieldSet): boolean {
  return a.size === b.size && [...a].every((path) => b.has(path))
}
