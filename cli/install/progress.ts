import type { KubeObject } from '../../src/kube/types.ts'

export interface ObjectName {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** What install and uninstall tell while they run; the same for a terminal and for `-o json`. */
export type InstallEvent =
  | { readonly event: 'applied'; readonly object: ObjectName; readonly change: 'created' | 'changed' | 'unchanged' }
  | { readonly event: 'skipped'; readonly object: ObjectName; readonly reason: string }
  | { readonly event: 'waiting'; readonly for: string; readonly detail?: string }
  | { readonly event: 'rollout'; readonly ready: number; readonly wanted: number; readonly detail?: string }
  | { readonly event: 'released'; readonly service: string; readonly step: string }
  | { readonly event: 'deleted'; readonly object: ObjectName }

export type InstallProgress = (event: InstallEvent) => void

export function nameOf({ kind = '', metadata }: KubeObject): ObjectName {
  return { kind, name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) }
}
