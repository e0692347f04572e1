import { describe, expect, test } from 'vitest'
import { findService, parseTarget } from '../../cli/agent/target.ts'
import type { Deployment, Service } from '../../src/kube/objects.ts'
import { deployments, services, statefulSets } from '../../src/kube/resources.ts'
import { TAKEN_OVER_KEY } from '../../src/resource/names.ts'
import { originService } from '../../src/takeover/origin-service.ts'
import { serviceOf } from '../proxy-pod/support/objects.ts'
import { FakeKube } from './support/fake-kube.ts'

describe('what a person types for a Service', () => {
  test.each([
    ['orders', 'service'],
    ['svc/orders', 'service'],
    ['service/orders', 'service'],
    ['services/orders', 'service'],
    ['SVC/orders', 'service'],
    ['deploy/orders', 'deployment'],
    ['deployment/orders', 'deployment'],
    ['sts/orders', 'statefulset'],
    ['statefulsets/orders', 'statefulset'],
  ])('%s', (text, kind) => {
    expect(parseTarget(text)).toEqual({ kind, name: 'orders' })
  })

  test.each([
    '',
    '/',
    'svc/',
    '/orders',
    'pod/orders',
    'svc/orders/http',
    'Orders',
    'or ders',
    '-orders',
    'orders-',
    'svc/../x',
    '__proto__/x',
    'constructor/x',
  ])('is refused where it is none: %j', (text) => {
    expect(() => parseTarget(text)).toThrow(
      expect.objectContaining({ code: 'bad-target', fix: expect.stringContaining('svc/NAME') }),
    )
  })
})

const workload = (name: string, labels: Record<string, string> = { app: name }): Deployment => ({
  metadata: { name, namespace: 'shop' },
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [] } } },
})

function cluster(...all: Service[]): FakeKube {
  const kube = new FakeKube()
  for (const service of all) kube.put(services, service)
  kube.put(deployments, workload('orders', { app: 'orders', tier: 'back' }))
  return kube
}

const find = (kube: FakeKube, text: string): Promise<Service> => findService(kube, 'shop', parseTarget(text))

describe('the Service that is meant', () => {
  test('by its name', async () => {
    expect((await find(cluster(serviceOf()), 'svc/orders')).metadata.name).toBe('orders')
  })

  test('by the workload that it selects, also where the Service has another name', async () => {
    const kube = cluster(serviceOf({ selector: { app: 'orders' } }, 'orders-api'), serviceOf({}, 'stock'))
    expect((await find(kube, 'deploy/orders')).metadata.name).toBe('orders-api')
  })

  test('by a StatefulSet', async () => {
    const kube = cluster(serviceOf({}, 'db'))
    kube.put(statefulSets, workload('db'))
    expect((await find(kube, 'sts/db')).metadata.name).toBe('db')
  })

  test('also while somebody has taken it over: its shadow is not one of two', async () => {
    const taken = serviceOf({ selector: { app: 'orders', [TAKEN_OVER_KEY]: 'x' } })
    expect((await find(cluster(taken, originService(taken)), 'deploy/orders')).metadata.name).toBe('orders')
  })

  test('a Service without selector selects nothing', async () => {
    await expect(find(cluster(serviceOf({ selector: {} })), 'deploy/orders')).rejects.toMatchObject({
      code: 'service-not-found',
    })
  })

  test('one of two is not guessed', async () => {
    const kube = cluster(serviceOf(), serviceOf({ selector: { tier: 'back' } }, 'orders-admin'))
    await expect(find(kube, 'deploy/orders')).rejects.toMatchObject({
      code: 'ambiguous-service',
      message: expect.stringContaining('orders, orders-admin'),
      fix: 'intercept svc/orders -n shop --port PORT',
    })
  })
})

describe('a Service that is not there', () => {
  test('is answered with those that are, and the nearest as a command', async () => {
    const taken = serviceOf({}, 'orders-api')
    const kube = cluster(taken, originService(taken), serviceOf({}, 'stock'))
    await expect(find(kube, 'orders')).rejects.toMatchObject({
      code: 'service-not-found',
      message: 'Service shop/orders does not exist; Services there: orders-api, stock',
      fix: 'intercept svc/orders-api -n shop --port PORT',
    })
  })

  test('in an empty namespace says so', async () => {
    await expect(find(new FakeKube(), 'orders')).rejects.toMatchObject({
      message: expect.stringContaining('there is no Service in that namespace'),
      fix: 'kubectl get services --all-namespaces',
    })
  })

  test('nor is the Deployment', async () => {
    await expect(find(cluster(serviceOf()), 'deploy/order')).rejects.toMatchObject({
      code: 'service-not-found',
      message: expect.stringContaining('Deployment shop/order does not exist'),
      fix: 'intercept svc/orders -n shop --port PORT',
    })
  })
})
