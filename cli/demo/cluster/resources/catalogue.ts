import type { ResourceType } from '../../../../src/kube/types.ts'
import { builtInDefinitions } from './built-in.ts'
import type { ResourceDefinition } from './definition.ts'

/** All resources that the API server serves now; custom ones come and go with their definitions. */
export class Catalogue {
  readonly #definitions = new Map<string, ResourceDefinition>()

  constructor() {
    for (const definition of builtInDefinitions) this.add(definition)
  }

  all(): ResourceDefinition[] {
    return [...this.#definitions.values()]
  }

  add(definition: ResourceDefinition): void {
    this.#definitions.set(idOf(definition), definition)
  }

  remove(definition: ResourceDefinition): void {
    this.#definitions.delete(idOf(definition))
  }

  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.#definitions.get(`${group}/${version}/${plural}`)
  }

  /** By the store's name: `services`, `deployments.apps`. */
  byKey(key: string): ResourceDefinition | undefined {
    for (const definition of this.#definitions.values()) if (definition.key === key) return definition
    return undefined
  }

  byKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
    for (const definition of this.#definitions.values()) {
      if (definition.kind === kind && definition.group === group && definition.version === version) return definition
    }
    return undefined
  }
}

function idOf(type: ResourceType): string {
  return `${type.group}/${type.version}/${type.plural}`
}
