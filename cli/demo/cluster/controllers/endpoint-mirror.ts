import type { Control } from './control.ts'
import { type EndpointSlice, managedByLabel, serviceNameLabel, slicesKey } from './endpoint-slices.ts'
import type { Endpoints } from './endpoints.ts'
import { controlledBy } from './owner.ts'
import { type Service, selectorOf } from './service-pods.ts'

const mirroredBy = 'endpointslicemirroring-controller.k8s.io'

/** EndpointSlices for Endpoints that somebody wrote by hand for a Service without selector. */
export function reconcileMirror(control: Control, namespace: string, name: string): void {
  const endpoints = control.store.get<Endpoints>('endpoints', namespace, name)
  const service = control.store.get<Service>('services', namespace, name)
  const present = control.store
    .list<EndpointSlice>(slicesKey, namespace)
    .filter(({ metadata: { labels } }) => labels?.[serviceNameLabel] === name && labels[managedByLabel] === mirroredBy)
  const skipped = endpoints?.metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'] === 'true'
  if (!endpoints || !service || selectorOf(service) || skipped) {
    for (const slice of present) control.delete(slicesKey, slice)
    return
  }
  for (const subset of endpoints.subsets ?? []) {
    const slice = present.shift()
    const conditions = (ready: boolean) => ({ ready, serving: ready, terminating: false })
    const content = {
      endpoints: [
        ...(subset.addresses ?? []).map(({ ip, ...rest }) => ({
          addresses: [ip],
          conditions: conditions(true),
          ...rest,
        })),
        ...(subset.notReadyAddresses ?? []).map(({ ip, ...rest }) => ({
          addresses: [ip],
          conditions: conditions(false),
          ...rest,
        })),
      ],
      ports: (subset.ports ?? []).map(({ name: port = '', ...rest }) => ({ name: port, ...rest })),
    }
    if (slice) {
      control.edit<EndpointSlice>(slicesKey, slice, (draft) => {
        Object.assign(draft, content)
      })
      continue
    }
    control.create(slicesKey, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        generateName: `${name}-`,
        namespace,
        labels: { ...endpoints.metadata.labels, [managedByLabel]: mirroredBy, [serviceNameLabel]: name },
        ownerReferences: [controlledBy(endpoints, 'v1', 'Endpoints')],
      },
      addressType: 'IPv4',
      ...content,
    } as unknown as EndpointSlice)
  }
  for (const slice of present) control.delete(slicesKey, slice)
}
