import { randomUUID } from 'node:crypto'
import type { KubeObject } from '../../../../src/kube/types.ts'

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly resource: string
  readonly object: KubeObject
  /** The state before; undefined for ADDED. */
  readonly previous: KubeObject | undefined
  readonly revision: number
}

/** Events kept for watches that start in the past; older ones answer 410. */
const historyLength = 4_000

/**
 * All objects of the cluster, in memory, under one revision counter. Objects are shared and must never be changed in
 * place: clone, then put. Listeners are called within the put that caused them, and must not put themselves.
 */
export class Store {
  #revision = 100
  readonly #resources = new Map<string, Map<string, KubeObject>>()
  readonly #history: StoreEvent[] = []
  #forgotten = 0
  readonly #listeners = new Set<(event: StoreEvent) => void>()

  get revision(): number {
    return this.#revision
  }

  /** The newest revision that a watch can no longer start from. */
  get forgotten(): number {
    return this.#forgotten
  }

  get<T extends KubeObject>(resource: string, namespace: string | undefined, name: string): T | undefined {
    return this.#resources.get(resource)?.get(`${namespace ?? ''}/${name}`) as T | undefined
  }

  /** Sorted by namespace and name, as etcd gives them. */
  list<T extends KubeObject>(resource: string, namespace?: string): T[] {
    const found: KubeObject[] = []
    for (const object of this.#resources.get(resource)?.values() ?? []) {
      if (namespace === undefined || object.metadata.namespace === namespace) found.push(object)
    }
    return found.sort(byKey) as T[]
  }

  /** Names of the resources that hold objects. */
  resources(): string[] {
    return [...this.#resources.keys()]
  }

  /** Stores the object under the next revision, which is written into it, and returns it. Takes ownership. */
  put<T extends KubeObject>(resource: string, object: T): T {
    const key = keyOf(object)
    let objects = this.#resources.get(resource)
    if (!objects) {
      objects = new Map()
      this.#resources.set(resource, objects)
    }
    const previous = objects.get(key)
    this.#revision += 1
    object.metadata.uid ??= randomUUID()
    object.metadata.resourceVersion = String(this.#revision)
    objects.set(key, object)
    this.#tell({ type: previous ? 'MODIFIED' : 'ADDED', resource, object, previous, revision: this.#revision })
    return object
  }

  /** Removes the object; the event carries it with the revision of its removal. */
  remove(resource: string, object: KubeObject): void {
    const objects = this.#resources.get(resource)
    const previous = objects?.get(keyOf(object))
    if (!objects || !previous) return
    objects.delete(keyOf(object))
    this.#revision += 1
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } }
    this.#tell({ type: 'DELETED', resource, object: last, previous, revision: this.#revision })
  }

  /** Events after `revision`, oldest first; undefined where some of them are forgotten. */
  since(resource: string, revision: number): StoreEvent[] | undefined {
    if (revision < this.#forgotten) return undefined
    return this.#history.filter((event) => event.revision > revision && event.resource === resource)
  }

  /** Forgets all past events, so that every watch from a revision before now is answered with 410. */
  compact(): void {
    this.#history.length = 0
    this.#forgotten = this.#revision
  }

  /** Returns the function that ends it. */
  onEvent(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(event: StoreEvent): void {
    this.#history.push(event)
    if (this.#history.length > historyLength) {
      const dropped = this.#history.splice(0, historyLength / 4)
      this.#forgotten = dropped.at(-1)?.revision ?? this.#forgotten
    }
    for (const listener of this.#listeners) listener(event)
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

function byKey(a: KubeObject, b: KubeObject): number {
  const [left, right] = [keyOf(a), keyOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
