import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Dict } from '../json.ts'
import type { ResourceDefinition } from '../resources/definition.ts'

/** True where the client prefers a server-side table (kubectl get). */
export function wantsTable(accept: string | undefined): boolean {
  return accept?.split(',')[0]?.includes('as=Table') === true
}

/** metav1.Table. `include`: what each row carries of its object; `header` false leaves the columns out (later watch events). */
export function tableOf(
  definition: ResourceDefinition,
  objects: readonly KubeObject[],
  metadata: Dict,
  include: string | null,
  header = true,
): Dict {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: header
      ? [
          { name: 'Name', type: 'string', format: 'name', description: 'Name of the object', priority: 0 },
          ...definition.columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
            name,
            type,
            format,
            description,
            priority,
          })),
        ]
      : null,
    rows: objects.map((object) => ({
      cells: [
        object.metadata.name,
        ...definition.columns.map((column) => column.cell(object as unknown as Dict) ?? null),
      ],
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partial(object) }),
    })),
  }
}

function partial(object: KubeObject): Dict {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata }
}
