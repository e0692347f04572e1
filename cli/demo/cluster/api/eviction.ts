import type { Dict } from '../json.ts'
import type { Deleter } from './deletion.ts'
import type { WriteTarget } from './write.ts'

/** pods/eviction, without looking at disruption budgets: the pod is deleted with its grace. */
export function serveEviction({ definition, resource, user }: WriteTarget, deleter: Deleter): Dict {
  const context = {
    user,
    manager: '',
    dryRun: false,
    validation: 'Ignore',
    force: false,
    warnings: [],
    internal: false,
  } as const
  deleter.delete(definition, resource.namespace, resource.name ?? '', {}, { ...context, warnings: [] })
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
}
