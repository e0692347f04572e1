import { describe, expect, it } from 'vitest'
import { mayAsk } from '../../../../proxy-pod/outbound/dns/may-ask.ts'
import { zoneNameOf } from '../../../../proxy-pod/outbound/dns/zone-name.ts'

const domain = 'k8s.local'
const shop = { namespace: 'shop' }
const orders = { ...shop, service: 'orders' }

it.each([
  ['k8s.local', { kind: 'apex' }],
  ['svc.k8s.local', { kind: 'apex' }],
  ['shop.svc.k8s.local', { kind: 'namespace', ...shop }],
  ['orders.shop.svc.k8s.local', { kind: 'service', ...orders }],
  ['orders-0.orders.shop.svc.k8s.local', { kind: 'endpoint', ...orders, endpoint: 'orders-0' }],
  ['_http._tcp.orders.shop.svc.k8s.local', { kind: 'port', ...orders, port: 'http', protocol: 'tcp' }],
  ['10-1-0-3.shop.pod.k8s.local', { kind: 'pod', ...shop, address: '10.1.0.3' }],
  ['http.tcp.orders.shop.svc.k8s.local', { kind: 'nothing', ...shop }],
  ['a.b.c.orders.shop.svc.k8s.local', { kind: 'nothing', ...shop }],
  ['_x.shop.svc.k8s.local', { kind: 'nothing', ...shop }],
  ['what.k8s.local', { kind: 'nothing', namespace: undefined }],
  ['example.com', undefined],
  ['notk8s.local', undefined],
])('%s', (name, expected) => {
  expect(zoneNameOf(name, domain)).toEqual(expected)
})

describe('a Connection of one namespace', () => {
  const list = { domains: ['sys.svc.k8s.local', 'svc.k8s.local', 'k8s.local', 'example.internal'], ndots: 5 }
  const may = (name: string) => mayAsk(name, [{ namespace: 'shop', anywhere: false }], list)

  it.each(['orders.shop.svc.k8s.local', '_http._tcp.orders.shop.svc.k8s.local', 'what.what.what.shop.svc.k8s.local'])(
    'asks for %s',
    (name) => expect(may(name)).toBe('yes'),
  )

  it.each(['orders.bank.svc.k8s.local', 'example.com', '10-1-0-3.shop.pod.k8s.local', 'orders.sys.svc.k8s.local'])(
    'does not ask for %s',
    (name) => expect(may(name)).toBe('no'),
  )

  it.each([
    'orders.shop.svc.svc.k8s.local',
    'orders.shop.svc.k8s.local.svc.k8s.local',
    'orders.shop.svc.k8s.local.k8s.local',
    'orders.shop.svc.k8s.local.example.internal',
  ])('hears that %s does not exist: a resolver goes on to the next', (name) => expect(may(name)).toBe('not-there'))

  it('that is gone asks for nothing, one of anywhere for anything', () => {
    expect(mayAsk('orders.shop.svc.k8s.local', [], list)).toBe('no')
    expect(mayAsk('example.com', [{ namespace: 'shop', anywhere: true }], list)).toBe('yes')
  })
})
