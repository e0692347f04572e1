import { isKubeError } from './error.ts'
import { pathOf, queryOf } from './paths.ts'
import type { Transport } from './transport.ts'
import type { KubeObject, ListOptions, ResourceType } from './types.ts'

interface ListBody<T> {
  metadata?: { resourceVersion?: string; continue?: string }
  items?: T[]
}

const pageSize = 500

/**
 * The whole list, read in pages at one resource version, from the store rather than a cache. Items get the apiVersion
 * and kind that lists leave out.
 */
export async function listAll<T extends KubeObject>(
  transport: Transport,
  type: ResourceType,
  options: ListOptions,
): Promise<{ items: T[]; resourceVersion: string }> {
  try {
    return await listPages<T>(transport, type, options, pageSize)
  } catch (error) {
    // The snapshot that the pages are cut from has expired: one big page then.
    if (isKubeError(error, 'gone')) return listPages<T>(transport, type, options, undefined)
    throw error
  }
}

async function listPages<T extends KubeObject>(
  transport: Transport,
  type: ResourceType,
  options: ListOptions,
  limit: number | undefined,
): Promise<{ items: T[]; resourceVersion: string }> {
  const items: T[] = []
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`
  const { labelSelector, fieldSelector } = options
  let next: string | undefined
  for (;;) {
    const text = await transport.exchange({
      method: 'GET',
      verb: 'list',
      path: `${pathOf(type, options.namespace)}${queryOf({ labelSelector, fieldSelector, limit, continue: next })}`,
      group: type.group,
      resource: type.plural,
      namespace: type.namespaced ? options.namespace : undefined,
      repeatable: true,
    })
    const page = JSON.parse(text) as ListBody<T>
    for (const item of page.items ?? []) items.push({ ...item, apiVersion, kind: type.kind })
    next = page.metadata?.continue
    if (!next) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
  }
}
