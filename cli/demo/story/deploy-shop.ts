import { configMaps, deployments, namespaces, services } from '../../../src/kube/resources.ts'
import type { Kube, KubeObject, ResourceType } from '../../../src/kube/types.ts'
import type { EmbeddedCluster } from '../cluster/cluster.ts'
import { dig } from '../cluster/json.ts'
import { shopNamespace, shopObjects, shopServices } from '../shop/shop.ts'

const types: readonly ResourceType[] = [configMaps, deployments, namespaces, services]

/** Deploys the shop and waits until every pod of it is ready. */
export async function deployShop(cluster: EmbeddedCluster, kube: Kube): Promise<void> {
  for (const object of shopObjects()) {
    const type = types.find(({ kind }) => kind === object.kind)
    if (!type) throw new Error(`the shop has a ${object.kind}`)
    await kube.create(type, object)
  }
  await cluster.until<KubeObject>(
    'deployments.apps',
    (found) => {
      const ready = found.filter(
        (each) =>
          each.metadata.namespace === shopNamespace &&
          dig(each, 'status', 'readyReplicas') === dig(each, 'spec', 'replicas'),
      )
      return ready.length === shopServices.length
    },
    60_000,
  )
}
