import type { EndpointSlice, Service } from '../../../src/kube/objects.ts'
import type { Intercept, InterceptSpec, InterceptStatus } from '../../../src/resource/intercept.ts'

/** An Intercept of shop/orders port 80 by ada, unless told otherwise. */
export function interceptOf(
  changes: { name?: string; at?: string; uid?: string; spec?: Partial<InterceptSpec>; status?: InterceptStatus } = {},
): Intercept {
  const { name = 'orders-ada-1', at = '2026-01-01T10:00:00Z' } = changes
  return {
    apiVersion: 'intercept.dev/v1alpha1',
    kind: 'Intercept',
    metadata: { name, namespace: 'shop', creationTimestamp: at, uid: changes.uid ?? `uid-${name}`, generation: 1 },
    spec: {
      service: 'orders',
      ports: [{ port: 80 }],
      holder: 'ada',
      publicKey: `${'A'.repeat(43)}=`,
      mode: 'intercept',
      onLocalDown: 'origin',
      holdSeconds: 10,
      ttlSeconds: 900,
      client: { version: '0.1.0', host: 'lovelace' },
      ...changes.spec,
    },
    ...(changes.status ? { status: changes.status } : {}),
  }
}

export function serviceOf(changes: Partial<Service['spec']> = {}, name = 'orders'): Service {
  return {
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1' },
    spec: {
      clusterIP: '10.96.0.5',
      selector: { app: name },
      ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }],
      ...changes,
    },
  }
}

/** A slice of Kubernetes' own, with ready endpoints. */
export function sliceOf(
  addresses: readonly string[],
  ports: EndpointSlice['ports'] = [{ name: '', port: 8080, protocol: 'TCP' }],
): EndpointSlice {
  return {
    metadata: { name: 'orders-intercept-origin-x' },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports,
  }
}
