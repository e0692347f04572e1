import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, isDict, sameJson } from '../json.ts'
import { fieldShape, type Shape } from './shape.ts'

/**
 * Strategic merge patch, as the API server applies it: lists with a merge key are merged by it, with the directives
 * $patch, $retainKeys, $deleteFromPrimitiveList and $setElementOrder. Neither argument is changed.
 */
export function strategicPatch(target: unknown, patch: unknown, shape: Shape | undefined): unknown {
  if (!isDict(patch)) return patch
  if (patch.$patch === 'replace') return without(patch, '$patch')
  if (patch.$patch === 'delete') return {}
  const merged: Dict = isDict(target) ? { ...target } : {}
  const retained = patch.$retainKeys
  if (Array.isArray(retained)) for (const key of Object.keys(merged)) if (!retained.includes(key)) delete merged[key]
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue
    if (value === null) delete merged[key]
    else if (Array.isArray(value)) merged[key] = mergeList(merged[key], value, fieldShape(shape, key))
    else merged[key] = strategicPatch(merged[key], value, fieldShape(shape, key))
  }
  for (const [directive, value] of Object.entries(patch)) {
    const [kind, field] = directive.split('/')
    if (field === undefined || !Array.isArray(value)) continue
    const current = merged[field]
    if (!Array.isArray(current)) continue
    if (kind === '$deleteFromPrimitiveList') merged[field] = current.filter((item) => !value.includes(item))
    if (kind === '$setElementOrder') merged[field] = reorder(current, value, fieldShape(shape, field)?.mergeKey)
  }
  return merged
}

function mergeList(target: unknown, patch: readonly unknown[], shape: Shape | undefined): unknown[] {
  const current = Array.isArray(target) ? [...target] : []
  const added: unknown[] = []
  if (shape?.list === 'set') return [...current, ...patch.filter((item) => !current.includes(item))]
  const mergeKey = shape?.mergeKey
  const replaced = patch.some((item) => isDict(item) && item.$patch === 'replace' && Object.keys(item).length === 1)
  if (mergeKey === undefined || replaced) return patch.filter((item) => !isDict(item) || item.$patch === undefined)
  for (const item of patch) {
    const key = dictOf(item)[mergeKey]
    if (!isDict(item) || key === undefined) {
      throw ApiError.badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`)
    }
    const matches = (other: unknown) => sameJson(dictOf(other)[mergeKey], key)
    const at = current.findIndex(matches)
    if (item.$patch === 'delete') {
      for (let index = current.length - 1; index >= 0; index -= 1) if (matches(current[index])) current.splice(index, 1)
    } else if (at < 0) added.push(strategicPatch({}, item, shape?.items))
    else current[at] = strategicPatch(current[at], item, shape?.items)
  }
  return inOrder(current, added, patch, (item) => dictOf(item)[mergeKey])
}

/** New items come before those that only the server has, but after those of the patch that stood before them in it. */
function inOrder(
  current: readonly unknown[],
  added: readonly unknown[],
  patch: readonly unknown[],
  identity: (item: unknown) => unknown,
): unknown[] {
  const place = (item: unknown) => patch.findIndex((other) => sameJson(identity(other), identity(item)))
  const waiting = [...added]
  const result: unknown[] = []
  for (const item of current) {
    const at = place(item)
    while (waiting.length > 0 && (at < 0 || place(waiting[0]) < at)) result.push(waiting.shift())
    result.push(item)
  }
  return [...result, ...waiting]
}

/** Items named in `order` stand in that order, before the others. */
function reorder(items: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): unknown[] {
  const identity = (item: unknown) => (mergeKey === undefined ? item : dictOf(item)[mergeKey])
  const rank = (item: unknown) => {
    const at = order.findIndex((other) => sameJson(identity(other), identity(item)))
    return at < 0 ? order.length : at
  }
  return items
    .map((item, index) => ({ item, index }))
    .sort((a, b) => rank(a.item) - rank(b.item) || a.index - b.index)
    .map(({ item }) => item)
}

function without(dict: Dict, key: string): Dict {
  const { [key]: _, ...rest } = dict
  return rest
}
