import type { KubeObject } from '../../../../src/kube/types.ts'
import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, dig } from '../json.ts'
import type { ResourceDefinition } from '../resources/definition.ts'
import type { Store } from '../store/store.ts'

/** autoscaling/v1 Scale of a workload. */
export function scaleOf(workload: KubeObject): Dict {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = workload.metadata
  const labels = dictOf(dig(workload, 'spec', 'selector', 'matchLabels'))
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: dig(workload, 'spec', 'replicas') },
    status: {
      replicas: dig(workload, 'status', 'replicas') ?? 0,
      selector: Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    },
  }
}

/** The workload as a written Scale wants it. */
export function patchScale(
  store: Store,
  definition: ResourceDefinition,
  namespace: string | undefined,
  name: string,
  scale: Dict,
): Dict {
  const workload = store.get(definition.key, namespace, name)
  if (!workload) throw ApiError.notFound(definition, name)
  const asked = dig(scale, 'metadata', 'resourceVersion')
  return {
    ...workload,
    metadata: { ...workload.metadata, resourceVersion: asked },
    spec: { ...dictOf(dig(workload, 'spec')), replicas: dig(scale, 'spec', 'replicas') ?? 0 },
  }
}
