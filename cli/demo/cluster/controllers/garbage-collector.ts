import type { KubeObject, OwnerReference } from '../../../../src/kube/types.ts'
import type { Catalogue } from '../resources/catalogue.ts'
import type { StoreEvent } from '../store/store.ts'
import type { Control } from './control.ts'
import { WorkQueue } from './work-queue.ts'

/** Deletes what its owners left behind, and serves foreground and orphan deletion. */
export class GarbageCollector {
  readonly #control: Control
  readonly #catalogue: Catalogue
  readonly #queue: WorkQueue
  /** Objects that name an owner: `resource namespace/name` by the owner's uid. */
  readonly #dependents = new Map<string, Set<string>>()

  constructor(control: Control, catalogue: Catalogue, onError: (key: string, error: unknown) => void) {
    this.#control = control
    this.#catalogue = catalogue
    this.#queue = new WorkQueue((key) => this.#reconcile(key), onError)
  }

  onEvent({ resource, object, previous, type }: StoreEvent): void {
    const key = `${resource} ${object.metadata.namespace ?? ''}/${object.metadata.name}`
    for (const { uid } of previous?.metadata.ownerReferences ?? []) this.#dependents.get(uid)?.delete(key)
    if (type === 'DELETED') {
      const uid = object.metadata.uid ?? ''
      for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent)
      this.#dependents.delete(uid)
      for (const owner of object.metadata.ownerReferences ?? []) this.#lookAtOwner(object, owner)
      return
    }
    const owners = object.metadata.ownerReferences ?? []
    for (const { uid } of owners) {
      const known = this.#dependents.get(uid) ?? new Set()
      this.#dependents.set(uid, known.add(key))
    }
    const waits = object.metadata.finalizers?.some(
      (finalizer) => finalizer === 'orphan' || finalizer === 'foregroundDeletion',
    )
    if (owners.length > 0 || (object.metadata.deletionTimestamp && waits)) this.#queue.add(key)
  }

  close(): void {
    this.#queue.close()
  }

  #reconcile(key: string): void {
    const [resource = '', id = '/'] = key.split(' ')
    const [namespace, name] = id.split('/')
    const object = this.#control.store.get(resource, namespace, name ?? '')
    if (!object) return
    if (object.metadata.deletionTimestamp) this.#finish(resource, object)
    const owners = object.metadata.ownerReferences ?? []
    if (owners.length === 0 || object.metadata.deletionTimestamp) return
    const alive = owners.filter((owner) => this.#ownerOf(object, owner))
    if (alive.length === owners.length) {
      const doomed = alive.every((owner) =>
        this.#ownerOf(object, owner)?.metadata.finalizers?.includes('foregroundDeletion'),
      )
      const deleting = alive.every((owner) => this.#ownerOf(object, owner)?.metadata.deletionTimestamp)
      if (doomed && deleting) this.#control.delete(resource, object, { propagationPolicy: 'Foreground' })
    } else if (alive.length === 0) this.#control.delete(resource, object)
    else {
      this.#control.edit(resource, object, (draft) => {
        draft.metadata.ownerReferences = alive
      })
    }
  }

  /** An object that waits for its dependents: orphans them, or lets them go first. */
  #finish(resource: string, owner: KubeObject): void {
    const dependents = [...(this.#dependents.get(owner.metadata.uid ?? '') ?? [])]
    if (owner.metadata.finalizers?.includes('orphan')) {
      for (const key of dependents) this.#disown(key, owner)
      this.#release(resource, owner, 'orphan')
      return
    }
    if (!owner.metadata.finalizers?.includes('foregroundDeletion')) return
    const blocking = dependents.filter((key) => {
      const found = this.#find(key)
      return found?.metadata.ownerReferences?.some(
        ({ uid, blockOwnerDeletion }) => uid === owner.metadata.uid && blockOwnerDeletion,
      )
    })
    for (const key of dependents) this.#queue.add(key)
    if (blocking.length === 0) this.#release(resource, owner, 'foregroundDeletion')
  }

  #disown(key: string, owner: KubeObject): void {
    const found = this.#find(key)
    if (!found) return
    this.#control.edit(key.split(' ')[0] ?? '', found, (draft) => {
      draft.metadata.ownerReferences = (draft.metadata.ownerReferences ?? []).filter(
        ({ uid }) => uid !== owner.metadata.uid,
      )
    })
  }

  #release(resource: string, object: KubeObject, finalizer: string): void {
    this.#control.edit(resource, object, (draft) => {
      draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((each) => each !== finalizer)
    })
  }

  #lookAtOwner(dependent: KubeObject, reference: OwnerReference): void {
    const owner = this.#ownerOf(dependent, reference)
    const definition = this.#catalogue.byKind(reference.apiVersion, reference.kind)
    if (!owner?.metadata.deletionTimestamp || !definition) return
    this.#queue.add(`${definition.key} ${owner.metadata.namespace ?? ''}/${owner.metadata.name}`)
  }

  #find(key: string): KubeObject | undefined {
    const [resource = '', id = '/'] = key.split(' ')
    const [namespace, name] = id.split('/')
    return this.#control.store.get(resource, namespace, name ?? '')
  }

  #ownerOf(object: KubeObject, { apiVersion, kind, name, uid }: OwnerReference): KubeObject | undefined {
    const definition = this.#catalogue.byKind(apiVersion, kind)
    if (!definition) return undefined
    const owner = this.#control.store.get(
      definition.key,
      definition.namespaced ? object.metadata.namespace : undefined,
      name,
    )
    return owner?.metadata.uid === uid ? owner : undefined
  }
}
