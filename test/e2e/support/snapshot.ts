import { isKubeError } from '../../../src/kube/error.ts'
import type { EndpointSlice, Service } from '../../../src/kube/objects.ts'
import { configMaps, endpointSlices, secrets, services } from '../../../src/kube/resources.ts'
import type { Kube, KubeObject, ResourceType } from '../../../src/kube/types.ts'
import { connectionType } from '../../../src/resource/connection.ts'
import { interceptType } from '../../../src/resource/intercept.ts'
import { until } from './until.ts'

/**
 * What a namespace holds, as far as an intercept could leave a trace: Services byte for byte (managed fields and
 * versions aside), endpoints, and the names of everything else.
 */
export async function snapshot(kube: Kube, namespace: string): Promise<object> {
  const [allServices, slices, maps, allSecrets, intercepts, connections] = await Promise.all([
    kube.list<Service>(services, { namespace }),
    kube.list<EndpointSlice>(endpointSlices, { namespace }),
    kube.list<KubeObject>(configMaps, { namespace }),
    kube.list<KubeObject>(secrets, { namespace }),
    listWhereKnown(kube, interceptType, namespace),
    listWhereKnown(kube, connectionType, namespace),
  ])
  return {
    services: allServices.map((service) => {
      const {
        managedFields: _managed,
        resourceVersion: _version,
        generation: _generation,
        ...metadata
      } = service.metadata
      return { ...service, metadata }
    }),
    slices: slices
      .map((slice) => ({
        service: slice.metadata.labels?.['kubernetes.io/service-name'],
        manager: slice.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
        ports: [...(slice.ports ?? [])].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
        endpoints: (slice.endpoints ?? []).map((one) => `${one.addresses.join()} ${one.conditions?.ready}`).sort(),
      }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    names: [...maps, ...allSecrets, ...intercepts, ...connections].map((object) => object.metadata.name).sort(),
  }
}

/** Nothing where the kind is not installed. */
async function listWhereKnown(kube: Kube, type: ResourceType, namespace: string): Promise<KubeObject[]> {
  try {
    return await kube.list<KubeObject>(type, { namespace })
  } catch (error) {
    if (isKubeError(error, 'not-found')) return []
    throw error
  }
}

/** Waits until the namespace is as it was; rejects with the difference. @param textOf what is compared */
export async function expectAsBefore(
  kube: Kube,
  namespace: string,
  before: object,
  textOf: (state: object) => string = JSON.stringify,
): Promise<void> {
  const wanted = textOf(before)
  let found = ''
  await until(
    `namespace ${namespace} as before`,
    async () => {
      found = textOf(await snapshot(kube, namespace))
      return found === wanted
    },
    15_000,
  ).catch((error) => {
    throw new Error(`something was left behind in ${namespace}:\nbefore ${wanted}\nafter  ${found}`, { cause: error })
  })
}
