import type { KubeObject } from '../../../../src/kube/types.ts'
import type { ResourceDefinition } from '../resources/definition.ts'
import { parseFieldSelector } from '../store/field-selector.ts'
import { parseLabelSelector } from '../store/label-selector.ts'

export type Selection = (object: KubeObject) => boolean

/** The objects that a list, watch or deletecollection names: by namespace, labelSelector and fieldSelector. */
export function selectionOf(
  definition: ResourceDefinition,
  namespace: string | undefined,
  query: URLSearchParams,
): Selection {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '')
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', definition.key, definition.selectableFields)
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    labels(object.metadata.labels) &&
    fields(object)
}
