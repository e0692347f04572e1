import type { Service } from '../../src/kube/objects.ts'
import { roles, services } from '../../src/kube/resources.ts'
import type { Kube, KubeObject } from '../../src/kube/types.ts'
import { APP_NAME_LABEL, PROXY_NAME } from '../../src/resource/names.ts'
import { ordinalOfGatewayService } from './gateway.ts'
import { installObjects } from './objects.ts'
import { installDefaults } from './options.ts'
import { nameOf } from './progress.ts'

/** Label of every object of an installation. */
export const INSTALL_SELECTOR = `${APP_NAME_LABEL}=${PROXY_NAME}`

/** Every object (its name is what counts) that an installation in `namespace` may have, whatever its options were. */
export async function everyObject(kube: Kube, namespace: string): Promise<KubeObject[]> {
  const { preview, gateway } = installDefaults
  const everything = {
    namespace,
    replicas: Math.max(2, await replicasWithService(kube, namespace)),
    networkPolicy: { enabled: true },
    serviceMonitor: { enabled: true },
    gateway: { ...gateway, service: { ...gateway.service, type: 'ClusterIP' as const } },
    preview: { ...preview, enabled: true, ingress: { ...preview.ingress, enabled: true } },
  }
  const unlimited = installObjects({ ...everything, namespaces: [] }, Buffer.alloc(0))
  const limited = installObjects({ ...everything, namespaces: await limitedTo(kube) }, Buffer.alloc(0))
  return [...new Map([...limited, ...unlimited].map((object) => [identityOf(object), object])).values()]
}

export function identityOf(object: KubeObject): string {
  const { kind, namespace = '', name } = nameOf(object)
  return `${kind} ${namespace}/${name}`
}

/** How many replicas an installation had, as far as each had a Service of its own. */
async function replicasWithService(kube: Kube, namespace: string): Promise<number> {
  const found = await kube.list<Service>(services, { namespace, labelSelector: INSTALL_SELECTOR })
  return Math.max(0, ...found.map(({ metadata }) => 1 + (ordinalOfGatewayService(metadata.name) ?? -1)))
}

/** The namespaces to which an installation was limited; each has a Role of the proxy. */
async function limitedTo(kube: Kube): Promise<string[]> {
  const found = await kube.list(roles, { labelSelector: INSTALL_SELECTOR })
  return found.flatMap(({ metadata }) =>
    metadata.name === PROXY_NAME && metadata.namespace ? [metadata.namespace] : [],
  )
}
