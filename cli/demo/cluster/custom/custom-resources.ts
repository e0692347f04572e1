import type { Control } from '../controllers/control.ts'
import type { Catalogue } from '../resources/catalogue.ts'
import type { ResourceDefinition } from '../resources/definition.ts'
import type { StoreEvent } from '../store/store.ts'
import { timestamp } from '../timestamp.ts'
import { type CustomResourceDefinition, definitionOf } from './definition-of.ts'

const crdsKey = 'customresourcedefinitions.apiextensions.k8s.io'

/** Serves what CustomResourceDefinitions define, from their creation to their deletion, which deletes their objects. */
export class CustomResources {
  readonly #catalogue: Catalogue
  readonly #control: Control
  readonly #served = new Map<string, ResourceDefinition[]>()
  readonly #stop: () => void

  constructor(control: Control, catalogue: Catalogue) {
    this.#control = control
    this.#catalogue = catalogue
    this.#stop = control.store.onEvent((event) => this.#onEvent(event))
  }

  close(): void {
    this.#stop()
  }

  #onEvent({ resource, object, type }: StoreEvent): void {
    if (resource !== crdsKey) return
    const crd = object as CustomResourceDefinition
    const before = this.#served.get(crd.metadata.name) ?? []
    for (const definition of before) this.#catalogue.remove(definition)
    if (type === 'DELETED') {
      this.#served.delete(crd.metadata.name)
      const key = `${crd.spec.names.plural}.${crd.spec.group}`
      for (const left of this.#control.store.list(key)) queueMicrotask(() => this.#control.store.remove(key, left))
      return
    }
    const served = crd.spec.versions.filter((version) => version.served).map((version) => definitionOf(crd, version))
    for (const definition of served) this.#catalogue.add(definition)
    this.#served.set(crd.metadata.name, served)
    queueMicrotask(() => this.#establish(crd))
  }

  #establish(crd: CustomResourceDefinition): void {
    const { names, versions } = crd.spec
    this.#control.editStatus<CustomResourceDefinition>(crdsKey, crd, (draft) => {
      if (draft.status && 'conditions' in draft.status) return
      const condition = (type: string, reason: string, message: string) => ({
        type,
        status: 'True',
        lastTransitionTime: timestamp(),
        reason,
        message,
      })
      draft.status = {
        conditions: [
          condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
          condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
        ],
        acceptedNames: { listKind: `${names.kind}List`, singular: names.kind.toLowerCase(), ...names },
        storedVersions: versions.filter((version) => version.storage).map((version) => version.name),
      }
    })
  }
}
