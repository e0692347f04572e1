/** A JSON object of unknown shape: what the API server handles without knowing its kind. */
export type Dict = { [key: string]: unknown }

export function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as a JSON object; an empty one where it is anything else. */
export function dictOf(value: unknown): Dict {
  return isDict(value) ? value : {}
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Follows keys through objects; undefined where one is missing. */
export function dig(value: unknown, ...keys: string[]): unknown {
  let at: unknown = value
  for (const key of keys) at = isDict(at) ? at[key] : undefined
  return at
}

/** The object at `key`, created where it is missing. */
export function ensureDict(parent: Dict, key: string): Dict {
  const present = parent[key]
  if (isDict(present)) return present
  const created: Dict = {}
  parent[key] = created
  return created
}

/** Deep equality of JSON values; a key that is undefined counts as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]))
  }
  if (!isDict(a) || !isDict(b)) return false
  for (const key of Object.keys(a)) if (!sameJson(a[key], b[key])) return false
  for (const key of Object.keys(b)) if (b[key] !== undefined && a[key] === undefined) return false
  return true
}
