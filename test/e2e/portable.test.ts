import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WayIn } from '../../cli/agent/way-in.ts'
import { ClusterDns } from '../../cli/outbound/cluster-dns.ts'
import type { Variable } from '../../cli/outbound/env/resolve.ts'
import { openPortableEnvironment, type PortableEnvironment } from '../../cli/outbound/portable/portable-environment.ts'
import { resolverSettings } from '../../cli/outbound/resolver-settings.ts'
import type { Service } from '../../src/kube/objects.ts'
import { services } from '../../src/kube/resources.ts'
import { hasProgram } from './support/has-program.ts'
import { scenario } from './support/scenario.ts'
import { wayIn } from './support/way-in.ts'

const ports = [
  { name: 'http', port: 80, targetPort: 'http' },
  { name: 'tcp', port: 9000, targetPort: 'tcp' },
]
const s = scenario({ orders: { ports }, db: { clusterIP: 'None', ports } })

let way: WayIn
let dns: ClusterDns
let around: PortableEnvironment
let failures: string[]

beforeEach(async () => {
  way = await wayIn(s.kubeconfig, s.namespace, 'anywhere')
  dns = new ClusterDns(way, s.namespace)
  failures = []
  const values = {
    ORDERS_URL: 'http://orders/v1',
    PAYMENTS_URL: 'https://orders',
    ORDERS_HOST: 'orders',
    ORDERS_PORT: '80',
    NAME: 'orders',
  }
  around = await openPortableEnvironment({
    way,
    dns,
    kube: s.kube,
    namespace: s.namespace,
    environment: new Map(
      Object.entries(values).map(([name, value]): [string, Variable] => [name, { value, source: 'value' }]),
    ),
    ...(await resolverSettings(way, s.namespace)),
    onFailure: (to, code) => failures.push(`${to.host}:${to.port} ${code}`),
  })
}, 60_000)

afterEach(async () => {
  around.close()
  dns.close()
  await way.close()
})

async function run(command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { env: { ...process.env, ...around.env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const [out] = await Promise.all([text(child.stdout), once(child, 'close')])
  return out.trim()
}
const node = (source: string): Promise<string> => run(process.execPath, '--input-type=module', '-e', source)

describe('without a twin', () => {
  test('a Node program is in the cluster: names, addresses, refusals', async () => {
    const { spec } = await s.kube.get<Service>(services, s.namespace, 'orders')
    const who = (url: string): string => `(await fetch('${url}')).headers.get('x-who')`
    for (const host of ['orders', `orders.${s.namespace}`, `orders.${s.namespace}.svc.cluster.local`, spec.clusterIP]) {
      expect(await node(`console.log(${who(`http://${host}/`)})`), host).toMatch(/^orders-/)
    }
    expect(await node(`import dns from 'node:dns/promises'; console.log((await dns.lookup('orders')).address)`)).toBe(
      spec.clusterIP,
    )
    const srv = `_http._tcp.orders.${s.namespace}.svc.cluster.local`
    expect(
      await node(`import dns from 'node:dns/promises'; console.log((await dns.resolveSrv('${srv}'))[0].port)`),
    ).toBe('80')
    expect(
      await node(`import dns from 'node:dns/promises'; console.log((await dns.lookup('db', { all: true })).length)`),
    ).toBe('2')
    const failed = (host: string, port: number) =>
      node(
        `import { connect } from 'node:net'; connect(${port}, '${host}').on('error', (e) => console.log(e.code, e.syscall, e.address ?? e.hostname))`,
      )
    const peer = await node(`import dns from 'node:dns/promises'; console.log((await dns.lookup('db')).address)`)
    expect(await failed(peer, 4)).toBe(`ECONNREFUSED connect ${peer}`)
    expect(await failed('nobody', 80)).toBe('ENOTFOUND getaddrinfo nobody')
    expect(await failed('169.254.169.254', 80)).toBe('EACCES connect 169.254.169.254')
  })

  test.skipIf(!hasProgram('curl'))('curl has rewritten addresses and proxies', async () => {
    expect(around.rewritten.map(({ variable, from }) => `${variable} ${from}`)).toEqual([
      'ORDERS_URL orders:80',
      'ORDERS_HOST orders:80',
      'ORDERS_PORT orders:80',
    ])
    expect(await run('sh', '-c', 'curl -sS -o /dev/null -D - "$ORDERS_URL" | grep -i x-who')).toMatch(/orders-/)
    expect(
      await run('sh', '-c', 'curl -sS -o /dev/null -D - "http://$ORDERS_HOST:$ORDERS_PORT/" | grep -i x-who'),
    ).toMatch(/orders-/)
    expect(await run('sh', '-c', 'curl -sS -o /dev/null -D - http://orders/ | grep -i x-who')).toMatch(/orders-/)
  })

  test.skipIf(!hasProgram('python3'))('Python has rewritten addresses and proxies', async () => {
    const python =
      'import os, urllib.request as u; print(u.urlopen("http://orders/").headers["x-who"], u.urlopen(os.environ["ORDERS_URL"]).headers["x-who"])'
    expect(await run('python3', '-c', python)).toMatch(/^orders-\S+ orders-/)
  })

  test('300 Node connections at once', async () => {
    const source = `const all = await Promise.all(Array.from({ length: 300 }, () => fetch('http://orders/').then((r) => r.text().then(() => r.status))))
      console.log(all.filter((status) => status === 200).length)`
    expect(await node(source)).toBe('300')
  })
})
