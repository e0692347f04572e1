import type { KubeObject, OwnerReference } from '../../../../src/kube/types.ts'

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true)
}

/** A reference to the controlling owner, as Kubernetes' controllers write it. */
export function controlledBy(owner: KubeObject, apiVersion: string, kind: string): OwnerReference {
  const { name, uid = '' } = owner.metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}
