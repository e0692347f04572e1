import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import http from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Variable } from '../../../../cli/outbound/env/resolve.ts'
import {
  openPortableEnvironment,
  type PortableEnvironment,
} from '../../../../cli/outbound/portable/portable-environment.ts'
import { KubeError } from '../../../../src/kube/error.ts'
import type { Service } from '../../../../src/kube/objects.ts'
import { services } from '../../../../src/kube/resources.ts'
import { FakeKube } from '../../support/fake-kube.ts'
import { addressRecord, ClusterDouble } from './support/cluster-double.ts'
import { NodePrograms } from './support/node-program.ts'

let cluster: ClusterDouble
let kube: FakeKube
let opened: PortableEnvironment | undefined
const server = http.createServer(({ headers, url }, response) => response.end(`${headers.host} ${url}`))
const searches = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local']

beforeAll(async () => {
  // The door looks for the built one.
  if (!existsSync('dist/preload.cjs')) await NodePrograms.buildPreload('dist/preload.cjs')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return () => server.close()
})

beforeEach(async () => {
  cluster = await ClusterDouble.start()
  kube = new FakeKube()
  const { port } = server.address() as AddressInfo
  for (const place of ['inventory:8080', '10.96.0.7:8080', 'db.other:5432']) cluster.places.set(place, port)
  const name = 'inventory.shop.svc.cluster.local'
  cluster.names.set(name, [addressRecord(name, '10.96.0.7')])
  const service = (namespace: string, own: string, port: number): Service => ({
    metadata: { name: own, namespace },
    spec: { clusterIP: 'None', ports: [{ port }] },
  })
  kube.put(services, service('shop', 'inventory', 8080))
  kube.put(services, service('other', 'db', 5432))
})

afterEach(async () => {
  opened?.close()
  opened = undefined
  await cluster.close()
})

const environment = (values: Readonly<Record<string, string>>): Map<string, Variable> =>
  new Map(Object.entries(values).map(([name, value]) => [name, { value, source: 'value' }]))

async function open(
  values: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>> = {},
): Promise<PortableEnvironment> {
  const { way, dns } = cluster
  const options = ['ndots:5']
  opened = await openPortableEnvironment({
    ...{ way, dns, kube, namespace: 'shop', environment: environment(values), searches, options, own },
  })
  return opened
}

async function run(command: string, ...args: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, ...opened?.env }
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [out] = await Promise.all([text(child.stdout), once(child, 'close')])
  return out
}

describe('a program without a twin', () => {
  it('has addresses that lead into the cluster from here', async () => {
    const { env, rewritten, sees, stays } = await open({
      INVENTORY_URL: 'http://inventory:8080/v1',
      DATABASE_URL: 'postgres://u:secret@db.other:5432/x',
      NAME: 'inventory',
    })
    expect(sees).toBe('all')
    expect(stays).toEqual([])
    expect(rewritten.map(({ variable, from }) => `${variable} ${from}`)).toEqual([
      'INVENTORY_URL inventory:8080',
      'DATABASE_URL db.other:5432',
    ])
    expect(JSON.stringify(rewritten)).not.toContain('secret')
    expect(env.NAME).toBe('inventory')
    expect(env.DATABASE_URL).toMatch(/^postgres:\/\/u:secret@127\.0\.0\.1:\d+\/x$/)
    const { host } = new URL(env.INVENTORY_URL ?? '')
    expect(await (await fetch(env.INVENTORY_URL ?? '')).text()).toBe(`${host} /v1`)
    expect(cluster.dialled).toEqual(['inventory:8080'])
  })

  it('finds the proxies, and Node is led by its preload', async () => {
    await open({})
    expect(await run('curl', '-sS', 'http://inventory:8080/curl')).toBe('inventory:8080 /curl')
    const ask = "fetch('http://inventory:8080/node').then((r) => r.text()).then(console.log)"
    expect(await run('node', '-e', ask)).toBe('inventory:8080 /node\n')
    // By name through the proxy; by an address of the cluster's DNS from Node.
    expect(cluster.dialled).toEqual(['inventory:8080', '10.96.0.7:8080'])
  })

  it('keeps what the pod and this machine have for the same tools', async () => {
    const { env } = await open(
      { JAVA_TOOL_OPTIONS: '-Xmx1g' },
      { JAVA_TOOL_OPTIONS: '-agentlib:x', NODE_OPTIONS: '--enable-source-maps', NO_PROXY: '.corp.example', HOME: '/x' },
    )
    expect(env.JAVA_TOOL_OPTIONS).toMatch(/^-Xmx1g -agentlib:x -DsocksProxyHost=/)
    expect(env.NODE_OPTIONS).toMatch(/^--require .*preload\.cjs"? --enable-source-maps$/)
    expect(env.NO_PROXY).toMatch(/,fake,\.corp\.example$/)
    expect(env.NODE_USE_ENV_PROXY).toBeUndefined()
    expect(env.HOME).toBeUndefined()
    expect(env.INTERCEPT_SEARCH).toBe('shop.svc.cluster.local svc.cluster.local cluster.local ndots:5')
  })

  it.each([
    [1, 'namespace', ['inventory:8080']],
    [2, 'none', []],
  ] as const)('whose user may not list Services (%i) has fewer addresses rewritten', async (refusals, sees, from) => {
    let asked = 0
    kube.before = (verb, type) => {
      if (verb !== 'list' || type.plural !== 'services') return
      asked += 1
      if (asked <= refusals) throw new KubeError('forbidden', 'no')
    }
    const found = await open({ A: 'http://inventory:8080', B: 'postgres://db.unseen:5432/x' })
    expect(found.sees).toBe(sees)
    expect(found.rewritten.map((one) => one.from)).toEqual(from)
  })

  it('that has ended leaves no port open', async () => {
    const { env, close } = await open({ INVENTORY_URL: 'http://inventory:8080' })
    const ports = [env.INVENTORY_URL, env.HTTP_PROXY, `http://${env.INTERCEPT_DIAL}`, `http://${env.INTERCEPT_DNS}`]
    close()
    for (const port of ports) {
      const free = createServer().listen(Number(new URL(port ?? '').port), '127.0.0.1')
      await once(free, 'listening')
      free.close()
    }
  })
})
