import { beforeEach, describe, expect, it } from 'vitest'
import { ClusterServices } from '../../../proxy-pod/outbound/cluster-services.ts'
import { Denied } from '../../../proxy-pod/outbound/denied.ts'
import type { Destination, Protocol } from '../../../proxy-pod/outbound/destination.ts'
import { dialError } from '../../../proxy-pod/outbound/dial-error.ts'
import type { Reach } from '../../../proxy-pod/outbound/reach.ts'
import { Resolver } from '../../../proxy-pod/outbound/resolve.ts'
import { KubeError } from '../../../src/kube/error.ts'
import type { EndpointSlice, Service } from '../../../src/kube/objects.ts'
import { endpointSlices, services } from '../../../src/kube/resources.ts'
import { FakeKube } from '../../cli/support/fake-kube.ts'

const shop: Reach = { namespace: 'shop', anywhere: false }
const anywhere: Reach = { namespace: 'shop', anywhere: true }
const ports = [{ name: 'http', port: 80 }]

let kube: FakeKube
let asked: string[]
let dns: Record<string, string[]>
let resolver: Resolver

function service(namespace: string, name: string, spec: Partial<Service['spec']>): void {
  kube.put<Service>(services, { metadata: { namespace, name }, spec: { ports, ...spec } })
}

function find(host: string, reach: Reach = anywhere, port = 80, protocol: Protocol = 'TCP'): Promise<unknown> {
  const to: Destination = { kind: 'host', protocol, namespace: 'shop', host, port }
  return resolver.addressesOf(to, [reach]).then((found) => found.map((one) => `${one.host}:${one.port}`))
}

const code = (expected: string) => expect.objectContaining({ code: expected })

beforeEach(() => {
  kube = new FakeKube()
  asked = []
  dns = { 'example.com': ['203.0.113.5', '2001:db8::5'], 'meta.example.com': ['169.254.169.254'] }
  const list = { domains: ['sys.svc.k8s.local', 'svc.k8s.local', 'k8s.local'], ndots: 5 }
  const denied = new Denied({ ips: ['10.1.0.9'], gatewayPort: 8443 })
  resolver = new Resolver(new ClusterServices(kube), denied, list, async (name) => {
    asked.push(name)
    const found = dns[name]
    if (found) return found
    throw Object.assign(new Error(name), { code: name.startsWith('broken') ? 'EAI_AGAIN' : 'ENOTFOUND' })
  })
  service('shop', 'orders', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1'] })
  service('bank', 'orders', { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] })
  service('shop', 'db', { clusterIP: 'None', clusterIPs: ['None'] })
  service('shop', 'empty', { clusterIP: 'None' })
  service('shop', 'alias', { type: 'ExternalName', externalName: 'example.com' })
  service('shop', 'circle', { type: 'ExternalName', externalName: 'circle.shop.svc.k8s.local' })
  kube.put<EndpointSlice>(endpointSlices, {
    metadata: { namespace: 'shop', name: 'db-1', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [
      { addresses: ['10.1.0.1'], hostname: 'db-0' },
      { addresses: ['10.1.0.2'], hostname: 'db-1', conditions: { ready: false } },
      { addresses: ['10.1.0.3'] },
    ],
  })
})

describe('a name, as a pod of the namespace sees it', () => {
  it.each([
    'orders',
    'ORDERS',
    'orders.shop',
    'orders.shop.svc',
    'orders.shop.svc.k8s.local',
    'orders.shop.svc.k8s.local.',
  ])('%s is the Service, on both its addresses, within either reach', async (name) => {
    for (const reach of [shop, anywhere]) expect(await find(name, reach)).toEqual(['10.96.0.1:80', 'fd00::1:80'])
    expect(asked).toEqual([])
  })

  it('of a headless Service has the addresses of its pods, and the port that was asked for', async () => {
    expect(await find('db', shop, 5432)).toEqual(['10.1.0.1:5432', '10.1.0.3:5432'])
    expect(await find('db-0.db', shop, 5432)).toEqual(['10.1.0.1:5432'])
    expect(await find('10-1-0-3.db.shop.svc', shop, 5432)).toEqual(['10.1.0.3:5432'])
    await expect(find('db-1.db')).rejects.toEqual(code('name-not-found'))
    await expect(find('empty', shop)).rejects.toEqual(code('no-endpoint'))
  })

  it('of an alias leads on, where it may; in a circle it does not', async () => {
    expect(await find('alias')).toEqual(['203.0.113.5:80', '2001:db8::5:80'])
    await expect(find('alias', shop)).rejects.toEqual(code('not-allowed'))
    await expect(find('circle')).rejects.toEqual(code('name-not-found'))
  })

  it('of elsewhere is asked of the DNS, the search list first', async () => {
    expect(await find('example.com', anywhere, 443)).toEqual(['203.0.113.5:443', '2001:db8::5:443'])
    expect(asked).toEqual(['example.com.k8s.local', 'example.com'])
    await expect(find('nothing')).rejects.toEqual(code('name-not-found'))
    await expect(find('broken.example')).rejects.toEqual(code('name-server-failed'))
    await expect(find('meta.example.com')).rejects.toEqual(code('not-allowed'))
  })

  it('is asked of the DNS where the proxy may not read the Service', async () => {
    kube.before = (_verb, type) => {
      if (type === services) throw new KubeError('forbidden', 'no', { status: 403 })
    }
    dns['orders.bank.svc.k8s.local'] = ['10.96.0.2']
    expect(await find('orders.bank.svc.k8s.local')).toEqual(['10.96.0.2:80'])
  })
})

describe('the reach', () => {
  it('of a namespace has its Services and nothing else', async () => {
    for (const name of ['orders.bank', 'orders.bank.svc.k8s.local', 'example.com', '10.96.0.2', '203.0.113.5']) {
      await expect(find(name, shop), name).rejects.toEqual(code('not-allowed'))
    }
    await expect(find('nothing', shop)).rejects.toEqual(code('name-not-found'))
    expect(asked).toEqual([])
    expect(await find('10.96.0.1', shop)).toEqual(['10.96.0.1:80'])
    expect(await find('fd00:0::1', shop)).toEqual(['fd00:0::1:80'])
  })

  it('of anywhere has not what is denied to everybody', async () => {
    expect(await find('orders.bank')).toEqual(['10.96.0.2:80'])
    expect(await find('203.0.113.5')).toEqual(['203.0.113.5:80'])
    for (const address of ['127.0.0.1', '169.254.169.254', '::1']) {
      await expect(find(address), address).rejects.toEqual(code('not-allowed'))
    }
    await expect(find('10.0.0.1', anywhere, 10_250)).rejects.toEqual(code('not-allowed'))
  })

  it('has no port that the Service does not have: it would refuse', async () => {
    await expect(find('orders', shop, 81)).rejects.toEqual(code('ECONNREFUSED'))
    await expect(find('10.96.0.1', shop, 81)).rejects.toEqual(code('ECONNREFUSED'))
  })

  it('of a namespace has the pods that the names of its headless Services lead to', async () => {
    expect(await find('10.1.0.3', shop, 5432)).toEqual(['10.1.0.3:5432'])
    for (const other of ['10.1.0.2', '10.1.0.4']) {
      await expect(find(other, shop, 5432), other).rejects.toEqual(code('not-allowed'))
    }
  })

  it('has a port of UDP apart from one of TCP', async () => {
    const ports = [{ port: 53, protocol: 'UDP' as const }]
    service('shop', 'dns', { clusterIP: '10.96.0.3', ports })
    expect(await find('dns', shop, 53, 'UDP')).toEqual(['10.96.0.3:53'])
    expect(await find('10.96.0.3', shop, 53, 'UDP')).toEqual(['10.96.0.3:53'])
    await expect(find('dns', shop, 53)).rejects.toEqual(code('ECONNREFUSED'))
    await expect(find('orders', shop, 80, 'UDP')).rejects.toEqual(code('ECONNREFUSED'))
    await expect(find('169.254.169.254', anywhere, 53, 'UDP')).rejects.toEqual(code('not-allowed'))
  })

  it('is none once the Connection is gone', async () => {
    const to: Destination = { kind: 'service', protocol: 'TCP', namespace: 'shop', name: 'orders', port: 80 }
    await expect(resolver.addressesOf(to, [])).rejects.toThrow(/ended or has expired/)
    await expect(resolver.addressesOf({ ...to, namespace: 'bank' }, [shop])).rejects.toThrow(
      /only Services of namespace shop/,
    )
  })
})

it('of several errors the telling one is told', () => {
  const [refused, unreachable] = ['ECONNREFUSED', 'ENETUNREACH'].map((one) =>
    Object.assign(new Error(one), { code: one }),
  )
  expect(dialError([unreachable, refused])).toBe(refused)
  expect(dialError([unreachable])).toBe(unreachable)
  expect(dialError([])).toEqual(code('no-endpoint'))
})
