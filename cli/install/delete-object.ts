import type { Kube, KubeObject } from '../../src/kube/types.ts'
import { type InstallProgress, nameOf } from './progress.ts'
import { typeOf } from './type-of.ts'

/** Says nothing where there is nothing to delete, or where the cluster does not know such resources. */
export async function deleteObject(kube: Kube, object: KubeObject, progress: InstallProgress): Promise<void> {
  const type = typeOf(object)
  const { name, namespace } = object.metadata
  if ((await kube.find(type, namespace, name)) === undefined) return
  await kube.delete(type, namespace, name, { propagation: 'Foreground' })
  progress({ event: 'deleted', object: nameOf(object) })
}
