import type { KubeObject } from '../../../../src/kube/types.ts'
import { type Dict, dictOf, listOf } from '../json.ts'
import type { Address } from './reach.ts'

/**
 * Where new connections to a port of a Service may go, as kube-proxy sees it: the union of all EndpointSlices of the
 * Service, duplicates removed; ready ones, or where there is none, those that still serve while they terminate.
 */
export function endpointsOf(slices: readonly KubeObject[], portName: string, protocol: string): Address[] {
  const ready = new Map<string, Address>()
  const serving = new Map<string, Address>()
  for (const slice of slices as unknown as Dict[]) {
    if (slice.addressType !== 'IPv4') continue
    const port = listOf(slice.ports)
      .map(dictOf)
      .find((each) => (each.name ?? '') === portName && (each.protocol ?? 'TCP') === protocol)?.port
    if (typeof port !== 'number') continue
    for (const endpoint of listOf(slice.endpoints).map(dictOf)) {
      const conditions = dictOf(endpoint.conditions)
      const host = listOf(endpoint.addresses)[0]
      if (typeof host !== 'string') continue
      const isReady = conditions.ready !== false
      const isServing = conditions.serving === undefined ? isReady : conditions.serving === true
      if (isReady) ready.set(`${host}:${port}`, { host, port })
      else if (isServing && conditions.terminating === true) serving.set(`${host}:${port}`, { host, port })
    }
  }
  return [...(ready.size > 0 ? ready : serving).values()]
}
