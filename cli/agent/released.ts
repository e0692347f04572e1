import type { EndpointSlice, Service } from '../../src/kube/objects.ts'
import { endpointSlices, services } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { originServiceName } from '../../src/resource/names.ts'
import { replicaSlices, SERVICE_NAME_LABEL } from '../../src/takeover/endpoints.ts'
import { hasKey } from '../../src/takeover/selector.ts'

/** What is still to happen until a Service is as it was; undefined: nothing. */
export type ReleaseState = 'the selector' | 'the proxy pods' | 'the origin Service' | undefined

/**
 * Resolves when nothing of ours is at the Service any more, or when somebody else still intercepts it. Rejects with the
 * signal's reason.
 */
export async function released(
  kube: Kube,
  namespace: string,
  name: string,
  signal: AbortSignal,
  onState: (state: ReleaseState) => void,
): Promise<'released' | 'shared'> {
  const origin = originServiceName(name)
  const informers = {
    service: kube.inform<Service>(services, { namespace, fieldSelector: `metadata.name=${name}` }),
    origin: kube.inform<Service>(services, { namespace, fieldSelector: `metadata.name=${origin}` }),
    slices: kube.inform<EndpointSlice>(endpointSlices, { namespace, labelSelector: `${SERVICE_NAME_LABEL}=${name}` }),
    intercepts: kube.inform<Intercept>(interceptType, { namespace }),
  }
  const all = Object.values(informers)
  try {
    await Promise.all(all.map((informer) => informer.synced))
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const holders = informers.intercepts
          .list()
          .filter(
            (one) => one.spec.service === name && !one.metadata.deletionTimestamp && one.status?.phase !== 'Failed',
          )
        if (holders.length > 0) {
          resolve('shared')
          return
        }
        const service = informers.service.get(namespace, name)
        const state: ReleaseState =
          service && hasKey(service)
            ? 'the selector'
            : replicaSlices(informers.slices.list(), name).length > 0
              ? 'the proxy pods'
              : informers.origin.get(namespace, origin)
                ? 'the origin Service'
                : undefined
        onState(state)
        if (state === undefined) resolve('released')
      }
      const abort = (): void => reject(signal.reason)
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      for (const informer of all) informer.onChange(look)
      look()
    })
  } finally {
    for (const informer of all) informer.stop()
  }
}
