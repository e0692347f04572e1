import type { Service } from '../kube/objects.ts'
import { ORIGINAL_SELECTOR_ANNOTATION, TAKEN_OVER_KEY, TAKEN_OVER_VALUE } from '../resource/names.ts'

/** True while the Service's selector has our key, so that Kubernetes finds no pod for it. */
export function hasKey(service: Service): boolean {
  return service.spec.selector?.[TAKEN_OVER_KEY] !== undefined
}

/** What the Service selects without us: its selector less our key. Follows changes made while it is taken over. */
export function originalSelector(service: Service): Record<string, string> {
  const { [TAKEN_OVER_KEY]: _key, ...selector } = service.spec.selector ?? {}
  return selector
}

/** Merge patch that takes the Service over. Fails with a conflict if the Service changed since it was read. */
export function addKeyPatch(service: Service): object {
  return {
    metadata: {
      resourceVersion: service.metadata.resourceVersion,
      annotations: { [ORIGINAL_SELECTOR_ANNOTATION]: JSON.stringify(originalSelector(service)) },
    },
    spec: { selector: { [TAKEN_OVER_KEY]: TAKEN_OVER_VALUE } },
  }
}

/** Merge patch that gives the Service back as it was. */
export function removeKeyPatch(service: Service): object {
  return {
    metadata: {
      resourceVersion: service.metadata.resourceVersion,
      annotations: { [ORIGINAL_SELECTOR_ANNOTATION]: null },
    },
    spec: { selector: { [TAKEN_OVER_KEY]: null } },
  }
}
