import type { FieldError } from '../api-error.ts'
import { type Dict, dictOf, listOf } from '../json.ts'

/** EndpointSlice: protocol TCP, name '' of ports. Empty lists are null, as the API server has them. */
export function endpointSliceDefaults(slice: Dict): void {
  for (const field of ['endpoints', 'ports']) if (listOf(slice[field]).length === 0) slice[field] = null
  for (const port of listOf(slice.ports) as Dict[]) {
    port.name ??= ''
    port.protocol ??= 'TCP'
  }
  for (const endpoint of listOf(slice.endpoints) as Dict[]) endpoint.conditions ??= {}
}

export function endpointsDefaults(endpoints: Dict): void {
  for (const subset of listOf(endpoints.subsets)) {
    for (const port of listOf(dictOf(subset).ports) as Dict[]) port.protocol ??= 'TCP'
  }
}

export function validateEndpointSlice(slice: Dict): FieldError[] {
  if (slice.addressType) return []
  return [{ reason: 'FieldValueRequired', field: 'addressType', message: 'Required value' }]
}
