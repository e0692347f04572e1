import * as packet from 'dns-packet'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { ClusterServices } from '../../../../proxy-pod/outbound/cluster-services.ts'
import { ClusterZone } from '../../../../proxy-pod/outbound/dns/cluster-zone.ts'
import { LaptopDns } from '../../../../proxy-pod/outbound/dns/laptop-dns.ts'
import type { Reach } from '../../../../proxy-pod/outbound/reach.ts'
import { encodeQuery, type RecordType } from '../../../../src/dns/message.ts'
import { KubeError } from '../../../../src/kube/error.ts'
import type { EndpointSlice, Service } from '../../../../src/kube/objects.ts'
import { endpointSlices, services } from '../../../../src/kube/resources.ts'
import { FakeKube } from '../../../cli/support/fake-kube.ts'
import { reply } from '../../support/name-server.ts'

const wanted = new AbortController().signal
const shop: Reach = { namespace: 'shop', anywhere: false }
const anywhere: Reach = { namespace: 'shop', anywhere: true }
const searchList = { domains: ['sys.svc.k8s.local', 'svc.k8s.local', 'k8s.local'], ndots: 5 }

let kube: FakeKube
let passedOn: string[]
let withZone: LaptopDns
let withoutZone: LaptopDns

const upstream = {
  ask: async (message: Buffer): Promise<Buffer> => {
    const query = packet.decode(message)
    const [question] = query.questions ?? []
    passedOn.push(`${question?.type} ${question?.name}`)
    if (question?.name === 'broken.example') throw new Error('no server')
    const data = '203.0.113.5'
    return reply(query, question?.type === 'A' ? [{ type: 'A', name: question.name, ttl: 60, data }] : [])
  },
}

beforeEach(() => {
  kube = new FakeKube()
  passedOn = []
  const zone = new ClusterZone(new ClusterServices(kube), 'k8s.local')
  withZone = new LaptopDns({ upstream, zone, searchList })
  withoutZone = new LaptopDns({ upstream, zone: undefined, searchList })
  const put = (name: string, spec: Partial<Service['spec']>): void => {
    const ports = [
      { name: 'http', port: 80 },
      { name: 'dns', port: 53, protocol: 'UDP' as const },
    ]
    kube.put<Service>(services, { metadata: { namespace: 'shop', name }, spec: { ports, ...spec } })
  }
  put('orders', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1'] })
  put('db', { clusterIP: 'None', clusterIPs: ['None'] })
  put('empty', { clusterIP: 'None' })
  put('alias', { type: 'ExternalName', externalName: 'example.com' })
  put('inner', { type: 'ExternalName', externalName: 'orders.shop.svc.k8s.local' })
  put('circle', { type: 'ExternalName', externalName: 'circle.shop.svc.k8s.local' })
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

async function ask(
  name: string,
  type: RecordType = 'A',
  reach: readonly Reach[] = [anywhere],
  dns = withZone,
): Promise<{ rcode: string; data: unknown[] }> {
  const answer = await dns.answer(encodeQuery({ id: 9, name, type }), reach, wanted)
  if (!answer) throw new Error('no answer')
  const decoded = packet.decode(answer)
  expect(decoded.id).toBe(9)
  expect(decoded.questions).toMatchObject([{ name, type }])
  const { rcode } = decoded as unknown as { rcode: string }
  return { rcode, data: (decoded.answers ?? []).map((one) => ('data' in one ? one.data : undefined)) }
}

const found = (...data: unknown[]) => ({ rcode: 'NOERROR', data })
const noData = found()
const noName = { rcode: 'NXDOMAIN', data: [] }

describe('a cluster without DNS', () => {
  it('has addresses of Services', async () => {
    expect(await ask('orders.shop.svc.k8s.local')).toEqual(found('10.96.0.1'))
    expect(await ask('Orders.Shop.svc.k8s.local')).toEqual(found('10.96.0.1'))
    expect(await ask('orders.shop.svc.k8s.local', 'AAAA')).toEqual(found('fd00::1'))
    expect(await ask('orders.shop.svc.k8s.local', 'TXT')).toEqual(noData)
    expect(await ask('nothing.shop.svc.k8s.local')).toEqual(noName)
    expect(await ask('a.b.c.d.svc.k8s.local')).toEqual(noName)
    expect(passedOn).toEqual([])
  })

  it('has the ready pods of headless ones', async () => {
    expect(await ask('db.shop.svc.k8s.local')).toEqual(found('10.1.0.1', '10.1.0.3'))
    expect(await ask('db.shop.svc.k8s.local', 'AAAA')).toEqual(noData)
    expect(await ask('db-0.db.shop.svc.k8s.local')).toEqual(found('10.1.0.1'))
    expect(await ask('10-1-0-3.db.shop.svc.k8s.local')).toEqual(found('10.1.0.3'))
    expect(await ask('db-1.db.shop.svc.k8s.local')).toEqual(noName)
    expect(await ask('empty.shop.svc.k8s.local')).toEqual(noName)
  })

  it('has ports', async () => {
    const target = 'orders.shop.svc.k8s.local'
    expect(await ask('_http._tcp.orders.shop.svc.k8s.local', 'SRV')).toEqual(
      found({ priority: 0, weight: 100, port: 80, target }),
    )
    expect(await ask('_dns._udp.orders.shop.svc.k8s.local', 'SRV')).toMatchObject(found({ port: 53, target }))
    expect(await ask('_http._tcp.db.shop.svc.k8s.local', 'SRV')).toEqual(
      found(
        { priority: 0, weight: 50, port: 8080, target: 'db-0.db.shop.svc.k8s.local' },
        { priority: 0, weight: 50, port: 8080, target: '10-1-0-3.db.shop.svc.k8s.local' },
      ),
    )
    expect(await ask('_http._udp.orders.shop.svc.k8s.local', 'SRV')).toEqual(noName)
    expect(await ask('_dns._udp.db.shop.svc.k8s.local', 'SRV')).toEqual(noName)
  })

  it('follows aliases, within reach', async () => {
    expect(await ask('alias.shop.svc.k8s.local')).toEqual(found('example.com', '203.0.113.5'))
    expect(await ask('alias.shop.svc.k8s.local', 'CNAME')).toEqual(found('example.com'))
    expect(await ask('alias.shop.svc.k8s.local', 'A', [shop])).toEqual(found('example.com'))
    expect(await ask('inner.shop.svc.k8s.local', 'A', [shop])).toEqual(found('orders.shop.svc.k8s.local', '10.96.0.1'))
    expect((await ask('circle.shop.svc.k8s.local')).data.length).toBeLessThan(10)
    expect(passedOn).toEqual(['A example.com'])
  })

  it('tells names that lead on from names that do not exist', async () => {
    expect(await ask('svc.k8s.local')).toEqual(noData)
    expect(await ask('shop.svc.k8s.local')).toEqual(noData)
    expect(await ask('bank.svc.k8s.local')).toEqual(noName)
    expect(await ask('10-1-0-3.shop.pod.k8s.local')).toEqual(found('10.1.0.3'))
    expect(await ask('999-1-0-3.shop.pod.k8s.local')).toEqual(noName)
  })

  it('says how long that there is nothing may be believed', async () => {
    const answer = await withZone.answer(
      encodeQuery({ id: 1, name: 'no.shop.svc.k8s.local', type: 'A' }),
      [shop],
      wanted,
    )
    expect(packet.decode(answer ?? Buffer.alloc(0)).authorities).toMatchObject([
      { type: 'SOA', name: 'k8s.local', data: { minimum: 5 } },
    ])
  })

  it('passes on names of elsewhere, and says where nobody answers', async () => {
    expect(await ask('example.com')).toEqual(found('203.0.113.5'))
    expect(await ask('broken.example')).toEqual({ rcode: 'SERVFAIL', data: [] })
    kube.before = () => {
      throw new KubeError('forbidden', 'no', { status: 403 })
    }
    expect(await ask('orders.shop.svc.k8s.local')).toEqual({ rcode: 'SERVFAIL', data: [] })
  })
})

describe('a cluster with DNS', () => {
  it('answers everything by it', async () => {
    expect(await ask('orders.shop.svc.k8s.local', 'A', [anywhere], withoutZone)).toEqual(found('203.0.113.5'))
    expect(await ask('orders.shop.svc.k8s.local', 'A', [shop], withoutZone)).toEqual(found('203.0.113.5'))
    expect(passedOn).toHaveLength(2)
  })
})

it('what is out of reach is refused, and asked of nobody', async () => {
  const refused = { rcode: 'REFUSED', data: [] }
  for (const dns of [withZone, withoutZone]) {
    for (const name of ['orders.bank.svc.k8s.local', 'example.com', '10-1-0-3.shop.pod.k8s.local']) {
      expect(await ask(name, 'A', [shop], dns), name).toEqual(refused)
    }
    expect(await ask('orders.shop.svc.k8s.local', 'A', [], dns)).toEqual(refused)
    expect(await ask('orders.shop.svc.k8s.local.svc.k8s.local', 'A', [shop], dns)).toEqual(noName)
  }
  expect(passedOn).toEqual([])
  expect(kube.asked).toEqual([])
})

it('any bytes get an answer or none, and do no harm', async () => {
  const whole = encodeQuery({ id: 7, name: '_http._tcp.db.shop.svc.k8s.local', type: 'SRV' })
  const byBytes = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))
  const byChange = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 })
    .map((changes) => changes.reduce((copy, [at, byte]) => copy.fill(byte, at, at + 1), Buffer.from(whole)))
  await fc.assert(
    fc.asyncProperty(fc.oneof(byBytes, byChange), fc.constantFrom(shop, anywhere), async (message, reach) => {
      const answer = await withZone.answer(message, [reach], wanted)
      if (answer) expect(answer.readUInt16BE(0)).toBe(message.readUInt16BE(0))
    }),
    { numRuns: 1_000 },
  )
})
