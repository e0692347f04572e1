import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { WayIn } from '../../cli/agent/way-in.ts'
import { ClusterDns } from '../../cli/outbound/cluster-dns.ts'
import { dialUdp } from '../../cli/outbound/dial-udp.ts'
import { resolverSettings } from '../../cli/outbound/resolver-settings.ts'
import { encodeQuery, type RecordType, readAnswer } from '../../src/dns/message.ts'
import type { EndpointSlice, Service } from '../../src/kube/objects.ts'
import { endpointSlices, services } from '../../src/kube/resources.ts'
import { scenario } from './support/scenario.ts'
import { until } from './support/until.ts'
import { wayIn } from './support/way-in.ts'
import { expose } from './support/workload.ts'

const ports = [
  { name: 'http', port: 80, targetPort: 'http' },
  { name: 'udp', port: 9001, targetPort: 'udp', protocol: 'UDP' as const },
]
const s = scenario({ orders: { ports }, db: { clusterIP: 'None', ports } })
const rcode = { noError: 0, nameError: 3, refused: 5 }

let way: WayIn
let clusterIP: string
let pods: string[]

beforeAll(async () => {
  await expose(s.kube, s.namespace, 'alias', {
    type: 'ExternalName',
    externalName: `orders.${s.namespace}.svc.cluster.local`,
    selector: {},
  })
  clusterIP = (await s.kube.get<Service>(services, s.namespace, 'orders')).spec.clusterIP ?? ''
  const labelSelector = 'kubernetes.io/service-name=db'
  const slices = await s.kube.list<EndpointSlice>(endpointSlices, { namespace: s.namespace, labelSelector })
  pods = slices.flatMap(({ endpoints }) => endpoints ?? []).flatMap(({ addresses }) => addresses)
}, 60_000)

afterEach(() => way.close())

const full = (name: string): string => `${name}.${s.namespace}.svc.cluster.local`

async function ask(dns: ClusterDns, name: string, type: RecordType = 'A'): Promise<[rcode: number, data: unknown[]]> {
  const answer = readAnswer(await dns.query(encodeQuery({ id: 1, name, type })))
  if (!answer) throw new Error('not an answer')
  return [answer.rcode, answer.records.map((record) => ('data' in record ? record.data : undefined)).sort()]
}

describe('the DNS of a pod', () => {
  test('has Services, pods, ports, aliases, and tells what is not there', async () => {
    way = await wayIn(s.kubeconfig, s.namespace, 'anywhere')
    const dns = new ClusterDns(way, s.namespace)
    // The name server of a real cluster has its own time to notice.
    await until('the alias', async () => (await ask(dns, full('alias')))[1].length > 0, 40_000)
    expect(await ask(dns, full('orders'))).toEqual([rcode.noError, [clusterIP]])
    expect(await ask(dns, full('orders'), 'AAAA')).toEqual([rcode.noError, []])
    expect(await ask(dns, full('db'))).toEqual([rcode.noError, [...pods].sort()])
    const [pod = ''] = pods
    expect(await ask(dns, full(`${pod.replaceAll('.', '-')}.db`))).toEqual([rcode.noError, [pod]])
    const target = full('orders')
    expect(await ask(dns, full('_http._tcp.orders'), 'SRV')).toMatchObject([0, [{ port: 80, target }]])
    expect(await ask(dns, full('_udp._udp.orders'), 'SRV')).toMatchObject([0, [{ port: 9_001, target }]])
    expect(await ask(dns, full('alias'))).toEqual([rcode.noError, [clusterIP, target].sort()])
    expect(await ask(dns, full('nothing'))).toEqual([rcode.nameError, []])
    expect(await ask(dns, 'kubernetes.default.svc.cluster.local')).toMatchObject([rcode.noError, [expect.any(String)]])
    expect(await ask(dns, 'no-such-host.example')).toMatchObject([expect.any(Number), []])
    const many = await Promise.all(Array.from({ length: 500 }, () => ask(dns, full('orders'))))
    expect(new Set(many.map((one) => JSON.stringify(one)))).toEqual(new Set([JSON.stringify([0, [clusterIP]])]))
    dns.close()
  })

  test('has only Services of its namespace, where the reach is that', async () => {
    way = await wayIn(s.kubeconfig, s.namespace, 'namespace')
    const dns = new ClusterDns(way, s.namespace)
    expect(await ask(dns, full('orders'))).toEqual([rcode.noError, [clusterIP]])
    expect(await ask(dns, `${full('orders')}.svc.cluster.local`)).toEqual([rcode.nameError, []])
    for (const name of ['kubernetes.default.svc.cluster.local', 'example.com']) {
      expect(await ask(dns, name), name).toEqual([rcode.refused, []])
    }
    dns.close()
  })

  test('is set up as a pod of the namespace has it', async () => {
    way = await wayIn(s.kubeconfig, s.namespace, 'namespace')
    const { searches, options } = await resolverSettings(way, s.namespace)
    expect(searches.slice(0, 3)).toEqual([`${s.namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local'])
    expect(options).toContain('ndots:5')
  })
})

describe('datagrams', () => {
  const exchange = (host: string, port: number, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const flow = dialUdp(way.dialUdp({ host, port, namespace: s.namespace }), {
        onDatagram: (datagram) => {
          flow.close()
          resolve(datagram.toString())
        },
        onClosed: (code) => reject(new Error(code)),
      })
      flow.send(Buffer.from(text))
    })

  test('reach a Service by name and address, and a pod', async () => {
    way = await wayIn(s.kubeconfig, s.namespace, 'anywhere')
    for (const host of ['orders', full('orders'), clusterIP, pods[0] ?? '']) {
      expect(await exchange(host, 9_001, 'ping'), host).toMatch(/^orders-.*: ping$/)
    }
  })

  test('are refused where nobody listens, where nothing is, and where nobody may go', async () => {
    way = await wayIn(s.kubeconfig, s.namespace, 'namespace')
    await expect(exchange(pods[0] ?? '', 9_099, 'ping')).rejects.toThrow('ECONNREFUSED')
    await expect(exchange('orders', 9_099, 'ping')).rejects.toThrow('ECONNREFUSED')
    await expect(exchange('nothing', 9_001, 'ping')).rejects.toThrow('name-not-found')
    await expect(exchange('169.254.169.254', 53, 'ping')).rejects.toThrow('not-allowed')
    await expect(exchange('203.0.113.1', 53, 'ping')).rejects.toThrow('not-allowed')
  })
})
