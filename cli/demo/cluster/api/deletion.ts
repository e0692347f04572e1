import type { KubeObject } from '../../../../src/kube/types.ts'
import type { AdmissionPlugin } from '../admission/admission.ts'
import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, dig } from '../json.ts'
import type { ResourceDefinition } from '../resources/definition.ts'
import type { Store } from '../store/store.ts'
import { timestamp } from '../timestamp.ts'
import type { WriteContext } from './write-context.ts'

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: string | undefined
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined
}

/** Deletes objects: preconditions, grace of pods, finalizers, namespaces that empty themselves first. */
export class Deleter {
  readonly #store: Store
  readonly #plugins: readonly AdmissionPlugin[]

  constructor(store: Store, plugins: readonly AdmissionPlugin[]) {
    this.#store = store
    this.#plugins = plugins
  }

  /** Returns the object as it is now, or as it was last. `gone` says which. */
  delete(
    definition: ResourceDefinition,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
    context: WriteContext,
  ): { object: KubeObject; gone: boolean } {
    const current = this.#store.get(definition.key, namespace, name)
    if (!current) throw ApiError.notFound(definition, name)
    checkPreconditions(definition, current, options)
    const { user, dryRun, warnings } = context
    const oldObject = current as unknown as Dict
    for (const plugin of this.#plugins) {
      plugin.validate?.({
        operation: 'DELETE',
        definition,
        subresource: undefined,
        namespace,
        name,
        user,
        dryRun,
        object: undefined,
        oldObject,
        warnings,
      })
    }
    if (dryRun) return { object: current, gone: false }
    const marked = mark(definition, current, options)
    if (marked) return { object: this.#store.put(definition.key, marked), gone: false }
    if (current.metadata.deletionTimestamp && waits(definition, current, options))
      return { object: current, gone: false }
    this.#store.remove(definition.key, current)
    return { object: current, gone: true }
  }
}

/** The object marked for deletion, if it cannot be removed at once and is not marked like that already. */
function mark(definition: ResourceDefinition, current: KubeObject, options: DeleteOptions): KubeObject | undefined {
  const grace = graceOf(definition, current, options)
  const finalizers = new Set(current.metadata.finalizers)
  if (options.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion')
  if (options.propagationPolicy === 'Orphan') finalizers.add('orphan')
  const namespaceFilled = definition.key === 'namespaces' && Array.isArray(dig(current, 'spec', 'finalizers'))
  if (finalizers.size === 0 && grace === 0 && !namespaceFilled) return undefined
  const already = current.metadata.deletionTimestamp !== undefined
  const currentGrace = dig(current, 'metadata', 'deletionGracePeriodSeconds')
  const shorter = typeof currentGrace === 'number' && grace < currentGrace
  if (already && !shorter && finalizers.size === (current.metadata.finalizers?.length ?? 0)) return undefined
  const metadata: Dict = {
    ...current.metadata,
    deletionTimestamp:
      already && !shorter ? current.metadata.deletionTimestamp : timestamp(new Date(Date.now() + grace * 1_000)),
    deletionGracePeriodSeconds: grace,
    ...(finalizers.size > 0 ? { finalizers: [...finalizers] } : {}),
    ...(definition.hasGeneration ? { generation: (current.metadata.generation ?? 0) + 1 } : {}),
  }
  if (namespaceFilled) {
    delete metadata.deletionGracePeriodSeconds
    return {
      ...current,
      metadata,
      status: { ...dictOf(dig(current, 'status')), phase: 'Terminating' },
    } as unknown as KubeObject
  }
  return { ...current, metadata } as unknown as KubeObject
}

function waits(definition: ResourceDefinition, current: KubeObject, options: DeleteOptions): boolean {
  if ((current.metadata.finalizers?.length ?? 0) > 0) return true
  if (definition.key === 'namespaces') return Array.isArray(dig(current, 'spec', 'finalizers'))
  return definition.key === 'pods' && graceOf(definition, current, options) > 0
}

/** Seconds that the pod has between SIGTERM and SIGKILL; 0 for all that is no running pod. */
function graceOf(definition: ResourceDefinition, current: KubeObject, options: DeleteOptions): number {
  if (definition.key !== 'pods') return 0
  const phase = dig(current, 'status', 'phase')
  if (!dig(current, 'spec', 'nodeName') || phase === 'Succeeded' || phase === 'Failed') return 0
  return options.gracePeriodSeconds ?? Number(dig(current, 'spec', 'terminationGracePeriodSeconds') ?? 30)
}

function checkPreconditions(definition: ResourceDefinition, current: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const named = { group: '', plural: definition.kind, kind: definition.kind }
  if (uid !== undefined && uid !== current.metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${current.metadata.uid}). The object might have been deleted and then recreated`
    throw ApiError.conflict(named, current.metadata.name, why)
  }
  if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${current.metadata.resourceVersion}). The object might have been modified`
    throw ApiError.conflict(named, current.metadata.name, why)
  }
}
