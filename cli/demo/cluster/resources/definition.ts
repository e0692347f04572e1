import type { ResourceType } from '../../../../src/kube/types.ts'
import type { FieldError } from '../api-error.ts'
import type { Dict } from '../json.ts'
import type { Shape } from '../store/shape.ts'
import type { Column } from './columns.ts'

/** A resource that the API server serves in one version: built in, or from a CustomResourceDefinition. */
export interface ResourceDefinition extends ResourceType {
  /** Name in the store, for all versions: `services`, `deployments.apps`. */
  readonly key: string
  readonly listKind: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly string[]
  readonly subresources: readonly Subresource[]
  readonly shape: Shape
  /** status is written through the subresource only. */
  readonly hasStatus: boolean
  /** metadata.generation counts changes of all but metadata and status. */
  readonly hasGeneration: boolean
  /** Delete answers with the object instead of a Status. */
  readonly returnsDeleted: boolean
  /** Columns of `kubectl get`, after Name. */
  readonly columns: readonly Column[]
  /** Extra field labels for field selectors, of custom resources. */
  readonly selectableFields: readonly string[]
  /** Fills in what the object leaves out; changes it in place. `previous` is undefined on create. */
  readonly defaults?: (object: Dict, previous: Dict | undefined) => void
  readonly validate?: (object: Dict, previous: Dict | undefined) => FieldError[]
  /** Paths of fields that the schema does not know, for field validation; removes them from the object. */
  readonly prune?: (object: Dict) => string[]
}

export interface Subresource {
  readonly name: string
  readonly kind: string
  readonly verbs: readonly string[]
  readonly group?: string
  readonly version?: string
}

export const storedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const

export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`
}
