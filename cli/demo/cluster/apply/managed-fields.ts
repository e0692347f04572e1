import { dictOf, listOf, sameJson } from '../json.ts'
import type { Shape } from '../store/shape.ts'
import { timestamp } from '../timestamp.ts'
import { type FieldSet, fromFieldsV1, leavesOf, toFieldsV1 } from './field-set.ts'

/** Who wrote: one entry of metadata.managedFields is kept for each. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string | undefined
}

export interface ManagedEntry extends Manager {
  time: string
  fields: FieldSet
}

export function readManagers(managedFields: unknown): ManagedEntry[] {
  return listOf(managedFields).map((entry) => {
    const { manager, operation, apiVersion, subresource, time, fieldsV1 } = dictOf(entry)
    return {
      name: String(manager),
      operation: operation === 'Apply' ? 'Apply' : 'Update',
      apiVersion: String(apiVersion),
      subresource: typeof subresource === 'string' && subresource !== '' ? subresource : undefined,
      time: String(time),
      fields: fromFieldsV1(fieldsV1),
    }
  })
}

/** Entries that own nothing are left out. Applies come first, then by time, as Kubernetes orders them. */
export function writeManagers(entries: readonly ManagedEntry[]): unknown[] {
  return entries
    .filter((entry) => entry.fields.size > 0)
    .sort((a, b) => compare(a.operation, b.operation) || compare(a.time, b.time) || compare(a.name, b.name))
    .map((entry) => ({
      manager: entry.name,
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      time: entry.time,
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(entry.fields),
      ...(entry.subresource === undefined ? {} : { subresource: entry.subresource }),
    }))
}

export function sameManager(a: Manager, b: Manager): boolean {
  return (
    a.name === b.name && a.operation === b.operation && a.apiVersion === b.apiVersion && a.subresource === b.subresource
  )
}

/** What an update changed: paths that are new or have another value, and paths that are gone. */
export function changesBetween(
  before: unknown,
  after: unknown,
  shape: Shape,
): { changed: FieldSet; removed: FieldSet } {
  const [old, now] = [leavesOf(before, shape), leavesOf(after, shape)]
  const changed: FieldSet = new Set()
  const removed: FieldSet = new Set()
  for (const [path, value] of now) if (!old.has(path) || !sameJson(old.get(path), value)) changed.add(path)
  for (const path of old.keys()) if (!now.has(path)) removed.add(path)
  return { changed, removed }
}

/** The managedFields after a create, update or patch (not apply) by `manager`: it owns what it changed, others no more. */
export function trackUpdate(
  managedFields: unknown,
  before: unknown,
  after: unknown,
  shape: Shape,
  manager: Manager,
): unknown[] {
  const entries = readManagers(managedFields)
  const { changed, removed } = changesBetween(before, after, shape)
  if (changed.size === 0 && removed.size === 0) return listOf(managedFields)
  let own = entries.find((entry) => sameManager(entry, manager))
  for (const entry of entries) {
    for (const path of removed) entry.fields.delete(path)
    if (entry !== own) for (const path of changed) entry.fields.delete(path)
  }
  if (!own) {
    own = { ...manager, time: timestamp(), fields: new Set() }
    entries.push(own)
  }
  if (changed.size > 0) own.time = timestamp()
  for (const path of changed) own.fields.add(path)
  return writeManagers(entries)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
