import { isDict } from '../json.ts'
import type { Schema } from './schema.ts'

/** Removes from the value what the schema does not know; returns the paths of it. */
export function prune(value: unknown, schema: Schema, path: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => (schema.items ? prune(item, schema.items, `${path}[${index}]`) : []))
  }
  if (!isDict(value)) return []
  const unknown: string[] = []
  for (const key of Object.keys(value)) {
    const at = path === '' ? key : `${path}.${key}`
    if (schema['x-kubernetes-embedded-resource'] && ['apiVersion', 'kind', 'metadata'].includes(key)) continue
    const child =
      schema.properties?.[key] ??
      (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
    if (child) unknown.push(...prune(value[key], child, at))
    else if (schema.additionalProperties !== true && !schema['x-kubernetes-preserve-unknown-fields']) {
      delete value[key]
      unknown.push(at)
    }
  }
  return unknown
}
