import type { KubeObject } from './types.ts'

/** Objects by namespace and name. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  #list: readonly T[] | undefined

  list(): readonly T[] {
    this.#list ??= [...this.#objects.values()]
    return this.#list
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(keyOf(namespace, name))
  }

  put(object: T): void {
    delete object.metadata.managedFields
    this.#objects.set(keyOf(object.metadata.namespace, object.metadata.name), object)
    this.#list = undefined
  }

  remove(object: T): void {
    this.#objects.delete(keyOf(object.metadata.namespace, object.metadata.name))
    this.#list = undefined
  }

  replace(objects: readonly T[]): void {
    this.#objects.clear()
    for (const object of objects) this.put(object)
    this.#list = undefined
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`
}
