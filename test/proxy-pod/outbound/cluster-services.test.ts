import { beforeEach, expect, it } from 'vitest'
import { ClusterServices } from '../../../proxy-pod/outbound/cluster-services.ts'
import { KubeError } from '../../../src/kube/error.ts'
import type { EndpointSlice, Service } from '../../../src/kube/objects.ts'
import { endpointSlices, services } from '../../../src/kube/resources.ts'
import { FakeKube } from '../../cli/support/fake-kube.ts'

let kube: FakeKube
let known: ClusterServices

const put = (name: string, clusterIP = '10.96.0.1'): Service =>
  kube.put<Service>(services, { metadata: { namespace: 'shop', name }, spec: { clusterIP } })

/** The watch of the namespace has its list. */
const watching = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

beforeEach(() => {
  kube = new FakeKube()
  known = new ClusterServices(kube)
})

it('asks once for what is asked for at once, and not again while it watches', async () => {
  put('orders')
  const found = await Promise.all([known.find('shop', 'orders'), known.find('shop', 'orders')])
  expect(found.map((one) => one?.metadata.name)).toEqual(['orders', 'orders'])
  await watching()
  expect(await known.find('shop', 'orders')).toBeDefined()
  expect(await known.all('shop')).toHaveLength(1)
  expect(kube.asked).toEqual(['get services'])
})

it('knows what changes', async () => {
  put('orders')
  await known.find('shop', 'orders')
  await watching()
  put('orders', '10.96.0.2')
  expect((await known.find('shop', 'orders'))?.spec.clusterIP).toBe('10.96.0.2')
  kube.remove(services, 'shop', 'orders')
  expect(await known.find('shop', 'orders')).toBeUndefined()
  put('stock')
  expect(await known.find('shop', 'stock')).toBeDefined()
})

it('has the slices of a Service and of no other', async () => {
  put('orders')
  for (const name of ['orders', 'stock']) {
    kube.put<EndpointSlice>(endpointSlices, {
      metadata: { namespace: 'shop', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [],
      ports: [],
    })
  }
  const names = async () => (await known.slices('shop', 'orders')).map(({ metadata }) => metadata.name)
  expect(await names()).toEqual(['orders-1'])
  await known.find('shop', 'orders')
  await watching()
  expect(await names()).toEqual(['orders-1'])
  expect(kube.asked).toEqual(['list endpointslices', 'get services'])
})

it('remembers neither that there is none nor that it failed', async () => {
  expect(await known.find('shop', 'orders')).toBeUndefined()
  kube.before = () => {
    throw new KubeError('forbidden', 'no', { status: 403 })
  }
  await expect(known.find('shop', 'orders')).rejects.toThrow('no')
  kube.before = () => undefined
  put('orders')
  expect(await known.find('shop', 'orders')).toBeDefined()
})
