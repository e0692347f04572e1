import { expect, it } from 'vitest'
import { ClusterHosts } from '../../../../cli/outbound/portable/cluster-hosts.ts'
import type { Service } from '../../../../src/kube/objects.ts'

const service = (namespace: string, name: string, clusterIP: string): Service => ({
  metadata: { name, namespace },
  spec: { clusterIP, ports: [{ port: 80 }] },
})
const hosts = new ClusterHosts({
  services: [
    service('shop', 'orders', '10.96.0.7'),
    service('shop', 'db', 'None'),
    service('other', 'orders', 'fd00::7'),
    service('other', 'cache', 'None'),
  ],
  namespace: 'shop',
  domain: 'corp.internal',
})

it.each([
  ['orders', 'shop/orders'],
  ['ORDERS', 'shop/orders'],
  ['orders.', 'shop/orders'],
  ['orders.other', 'other/orders'],
  ['orders.other.svc', 'other/orders'],
  ['orders.other.svc.corp.internal.', 'other/orders'],
  ['db-0.db', 'shop/db'],
  ['db-0.db.shop.svc', 'shop/db'],
  ['10-0-0-7.cache.other', 'other/cache'],
  ['10.96.0.7', 'shop/orders'],
  ['fd00:0:0::7', 'other/orders'],
])('%s is %s', (host, expected) => {
  const { metadata } = hosts.find(host)?.service ?? {}
  expect(`${metadata?.namespace}/${metadata?.name}`).toBe(expected)
})

it.each(['unseen.elsewhere.svc', 'a.unseen.elsewhere.svc.corp.internal'])('%s is the cluster’s by its form', (host) => {
  expect(hosts.find(host)).toEqual({ service: undefined })
})

it.each([
  'cache',
  'orders-2',
  'orders.example',
  'a.orders',
  'orders.svc',
  'orders.shop.svc.cluster.local',
  'svc',
  '10.96.0.8',
  '',
])('%j is none of the cluster', (host) => {
  expect(hosts.find(host)).toBeUndefined()
})
