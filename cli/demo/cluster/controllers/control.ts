import type { KubeObject } from '../../../../src/kube/types.ts'
import type { DeleteOptions, Deleter } from '../api/deletion.ts'
import { internalContext } from '../api/write-context.ts'
import type { Writer } from '../api/writer.ts'
import type { Dict } from '../json.ts'
import type { Catalogue } from '../resources/catalogue.ts'
import type { ResourceDefinition } from '../resources/definition.ts'
import type { Store } from '../store/store.ts'

/** How the cluster's own components read and write: no network, no admission, always on the newest state. */
export class Control {
  readonly store: Store
  readonly #catalogue: Catalogue
  readonly #writer: Writer
  readonly #deleter: Deleter

  constructor(store: Store, catalogue: Catalogue, writer: Writer, deleter: Deleter) {
    this.store = store
    this.#catalogue = catalogue
    this.#writer = writer
    this.#deleter = deleter
  }

  create<T extends KubeObject>(resource: string, object: T): T {
    const definition = this.#definition(resource)
    const body = object as unknown as Dict
    return this.#writer.create(definition, object.metadata.namespace, body, internalContext()) as T
  }

  /** Changes a copy of the newest state in place, and stores it where it differs. undefined where it is gone. */
  edit<T extends KubeObject>(resource: string, object: KubeObject, change: (draft: T) => void): T | undefined {
    const { namespace, name, uid } = object.metadata
    const current = this.store.get<T>(resource, namespace, name)
    if (!current || current.metadata.uid !== uid) return undefined
    const draft = structuredClone(current)
    change(draft)
    const body = draft as unknown as Dict
    return this.#writer.update(this.#definition(resource), namespace, name, body, internalContext()) as T
  }

  /** The same; a name for the reader. Internal writes may change spec and status alike. */
  editStatus<T extends KubeObject>(resource: string, object: KubeObject, change: (draft: T) => void): T | undefined {
    return this.edit(resource, object, change)
  }

  delete(resource: string, object: KubeObject, options: DeleteOptions = {}): void {
    const { namespace, name, uid } = object.metadata
    const current = this.store.get(resource, namespace, name)
    if (current?.metadata.uid !== uid || !current) return
    this.#deleter.delete(this.#definition(resource), namespace, name, options, internalContext())
  }

  /** The end of a graceful deletion: the kubelet has stopped everything. Finalizers still hold the object. */
  removePod(pod: KubeObject): void {
    const { namespace, name, uid } = pod.metadata
    const current = this.store.get('pods', namespace, name)
    if (!current || current.metadata.uid !== uid) return
    this.#deleter.delete(this.#definition('pods'), namespace, name, { gracePeriodSeconds: 0 }, internalContext())
  }

  #definition(resource: string): ResourceDefinition {
    const definition = this.#catalogue.byKey(resource)
    if (!definition) throw new Error(`no resource ${resource}`)
    return definition
  }
}
