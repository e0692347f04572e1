import { describe, expect, test } from 'vitest'
import { isPublished, slicesOf } from '../../../proxy-pod/dataplane/publish.ts'
import type { PublishedPort } from '../../../proxy-pod/dataplane/service-dataplane.ts'
import type { EndpointSlice } from '../../../src/kube/objects.ts'
import { serviceOf } from '../support/objects.ts'

const pod = { name: 'intercept-proxy-0', uid: 'pod-uid', ips: ['10.1.0.7', 'fd00::7'] }
const ports: PublishedPort[] = [
  { name: 'http', protocol: 'TCP', port: 34_567 },
  { name: 'dns', protocol: 'UDP', port: 34_568 },
]

const published = (changes: Parameters<typeof serviceOf>[0] = {}): EndpointSlice[] =>
  slicesOf(serviceOf(changes), ports, pod)

describe('how a proxy pod makes itself an endpoint of a Service', () => {
  test('kube-proxy finds it, goes with the Service, and is not taken for one of Kubernetes', () => {
    const [slice, ...more] = published()
    expect(more).toEqual([])
    expect(slice).toMatchObject({
      metadata: {
        name: 'orders-intercept-proxy-0',
        namespace: 'shop',
        labels: {
          'kubernetes.io/service-name': 'orders',
          'endpointslice.kubernetes.io/managed-by': 'intercept.dev',
        },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'orders', uid: 'uid-orders' }],
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.0.7'], conditions: { ready: true } }],
      ports: [
        { name: 'http', protocol: 'TCP', port: 34_567 },
        { name: 'dns', protocol: 'UDP', port: 34_568 },
      ],
    })
  })

  test('one slice for each family of the Service, each with the addresses of that family', () => {
    const slices = published({ ipFamilies: ['IPv6', 'IPv4'] })
    expect(slices.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses])).toEqual([
      ['IPv6', ['fd00::7']],
      ['IPv4', ['10.1.0.7']],
    ])
    expect(new Set(slices.map(({ metadata }) => metadata.name)).size).toBe(2)
  })

  test('no slice for a family that the pod does not have', () => {
    expect(slicesOf(serviceOf({ ipFamilies: ['IPv4', 'IPv6'] }), ports, { ...pod, ips: ['10.1.0.7'] })).toHaveLength(1)
  })

  test('a headless Service is marked as Kubernetes marks it: cluster DNS looks there', () => {
    const label = 'service.kubernetes.io/headless'
    expect(published({ clusterIP: 'None' })[0]?.metadata.labels).toHaveProperty([label], '')
    expect(published()[0]?.metadata.labels).not.toHaveProperty([label])
  })
})

describe('whether it is published already', () => {
  const [wanted] = published()
  const stored = (change: (slice: EndpointSlice) => void): EndpointSlice[] => {
    const slice = structuredClone(wanted) as EndpointSlice
    change(slice)
    return [slice]
  }
  const is = (slices: readonly EndpointSlice[]): boolean => isPublished(wanted as EndpointSlice, slices)

  test('what the API server added is no difference, nor is the order of the ports', () => {
    expect(
      is(
        stored((slice) => {
          slice.metadata.resourceVersion = '9'
          slice.metadata.managedFields = []
          slice.ports?.reverse()
        }),
      ),
    ).toBe(true)
  })

  test.each<[string, (slice: EndpointSlice) => void]>([
    ['of an earlier pod of the same name', (slice) => Object.assign(slice.metadata, { annotations: {} })],
    ['another address', (slice) => Object.assign(slice, { endpoints: [{ addresses: ['10.1.0.8'] }] })],
    ['no endpoint', (slice) => Object.assign(slice, { endpoints: null })],
    ['a port less', (slice) => slice.ports?.pop()],
    ['another name of a port', (slice) => Object.assign(slice.ports?.[0] ?? {}, { name: 'web' })],
    ['another number', (slice) => Object.assign(slice.ports?.[0] ?? {}, { port: 1 })],
    ['under another name', (slice) => Object.assign(slice.metadata, { name: 'other' })],
  ])('it is not: %s', (_name, change) => {
    expect(is(stored(change))).toBe(false)
  })

  test('it is not where there is none', () => {
    expect(is([])).toBe(false)
  })
})
