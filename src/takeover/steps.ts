import type { Service } from '../kube/objects.ts'
import { endpointSlices, services } from '../kube/resources.ts'
import type { Kube } from '../kube/types.ts'
import { FIELD_MANAGER, originServiceName } from '../resource/names.ts'
import { originService } from './origin-service.ts'
import type { Step } from './plan.ts'
import { addKeyPatch, removeKeyPatch } from './selector.ts'

/**
 * Carries out one step. Idempotent: where the cluster is there already, or has moved on meanwhile (a conflict), nothing
 * is done and the next plan decides. @throws KubeError on anything else
 */
export async function carryOut(kube: Kube, service: Service, step: Step): Promise<void> {
  const { name } = service.metadata
  const namespace = service.metadata.namespace ?? 'default'
  switch (step.kind) {
    case 'create-origin':
      await kube.create(services, originService(service))
      return
    case 'update-origin': {
      const { selector, ports, publishNotReadyAddresses } = originService(service).spec
      // JSON patch: a merge patch would keep selector keys that the Service no longer has.
      await kube.patch(
        services,
        namespace,
        originServiceName(name),
        [
          { op: 'add', path: '/spec/selector', value: selector },
          { op: 'add', path: '/spec/ports', value: ports },
          { op: 'add', path: '/spec/publishNotReadyAddresses', value: publishNotReadyAddresses ?? false },
        ],
        { type: 'json' },
      )
      return
    }
    case 'add-key':
      await kube.patch(services, namespace, name, addKeyPatch(service), { type: 'merge', fieldManager: FIELD_MANAGER })
      return
    case 'remove-key':
      await kube.patch(services, namespace, name, removeKeyPatch(service), {
        type: 'merge',
        fieldManager: FIELD_MANAGER,
      })
      return
    case 'delete-slice':
      await kube.delete(endpointSlices, namespace, step.name)
      return
    case 'delete-origin':
      await kube.delete(services, namespace, originServiceName(name))
      return
    case 'wait':
    case 'done':
      return
    default:
      step satisfies never
  }
}
