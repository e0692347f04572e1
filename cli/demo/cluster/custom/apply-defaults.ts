import { isDict } from '../json.ts'
import type { Schema } from './schema.ts'

/** Fills in defaults where fields are missing, and where they are null and may not be; in place. */
export function applyDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) applyDefaults(item, schema.items)
    return
  }
  if (!isDict(value)) return
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    if (value[key] === null && child.nullable !== true && child.default !== undefined) delete value[key]
    if (value[key] === undefined && child.default !== undefined) value[key] = structuredClone(child.default)
    if (value[key] !== undefined) applyDefaults(value[key], child)
  }
  if (typeof schema.additionalProperties !== 'object') return
  for (const [key, item] of Object.entries(value))
    if (!schema.properties?.[key]) applyDefaults(item, schema.additionalProperties)
}
