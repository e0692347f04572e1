import type { StreamHeader } from '../../src/tunnel/types.ts'
import { isLabel } from './destination.ts'

/** What a laptop asks about names, as a pod of a namespace sees them. */
export interface NamespaceAsked {
  /** dns: a stream of DNS messages. resolver: what its resolv.conf says. */
  readonly for: 'dns' | 'resolver'
  readonly namespace: string
}

/** Reads a header `{dns: {namespace}}` or `{resolver: {namespace}}`; undefined where it is neither. */
export function namespaceAskedBy(header: StreamHeader): NamespaceAsked | undefined {
  for (const purpose of ['dns', 'resolver'] as const) {
    const value = header[purpose]
    if (typeof value !== 'object' || value === null || !('namespace' in value)) continue
    if (isLabel(value.namespace)) return { for: purpose, namespace: value.namespace }
  }
  return undefined
}
