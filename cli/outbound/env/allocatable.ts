import type { Container, Node, Pod, ResourceList } from '../../../src/kube/objects.ts'
import { nodes } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { known } from './known.ts'
import type { Known } from './resolve.ts'
import { needsNode, type ResourceFieldRef } from './resource-ref.ts'

/** What the pod's node can give, where one of these references of a container asks for it. @throws KubeError */
export async function readAllocatable(
  kube: Kube,
  { spec }: Pod,
  container: Container,
  references: readonly (ResourceFieldRef | undefined)[],
): Promise<Known<ResourceList>> {
  if (!references.some((reference) => reference && needsNode(reference, spec, container))) return { absent: true }
  const { nodeName } = spec
  if (!nodeName) return { refused: 'no pod is on a node' }
  return known(async () => (await kube.find<Node>(nodes, undefined, nodeName))?.status?.allocatable)
}
