import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hostsAdvice } from '../../../../cli/outbound/portable/hosts-advice.ts'
import { hasLines, hostsCommands, hostsLines } from '../../../../cli/outbound/portable/hosts-lines.ts'
import { openHostsNames } from '../../../../cli/outbound/portable/hosts-names.ts'
import { planHosts } from '../../../../cli/outbound/portable/hosts-plan.ts'
import type { Service, ServicePort } from '../../../../src/kube/objects.ts'
import { services } from '../../../../src/kube/resources.ts'
import { FakeKube } from '../../support/fake-kube.ts'
import { ClusterDouble } from './support/cluster-double.ts'

const service = (name: string, ports: ServicePort[], spec: Partial<Service['spec']> = {}): Service => ({
  metadata: { name, namespace: 'shop' },
  spec: { clusterIP: '10.96.0.7', ports, ...spec },
})
const all = [
  service('web', [{ port: 80 }, { port: 9090 }]),
  service('inventory', [{ port: 8080 }, { port: 80 }]),
  service('stats', [{ port: 8125, protocol: 'UDP' }]),
  service('alias', [{ port: 80 }], { type: 'ExternalName', externalName: 'x.example' }),
]
const options = { namespace: 'shop', domain: 'cluster.local' }

describe('where each Service has an address', () => {
  it('it is its own, in every plan', () => {
    const { entries, clashes } = planHosts(all, { ...options, hasAddresses: true })
    expect(entries.map(({ service: name, ports }) => [name, ports])).toEqual([
      ['inventory', [8080, 80]],
      ['web', [80, 9090]],
    ])
    expect(entries[0]?.names).toEqual([
      'inventory',
      'inventory.shop',
      'inventory.shop.svc',
      'inventory.shop.svc.cluster.local',
    ])
    for (const { address } of entries) expect(address).toMatch(/^127\.(?:1[3-9]\d|12[89]|2[0-4]\d|25[0-4])\.\d+\.\d+$/)
    expect(clashes).toEqual([])
    const again = planHosts([service('zebra', [{ port: 1 }]), ...all], { ...options, hasAddresses: true })
    expect(again.entries.slice(0, 2)).toEqual(entries)
  })

  it('no two of many are the same', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => service(`s-${index}`, [{ port: 80 }]))
    const { entries } = planHosts(many, { ...options, hasAddresses: true })
    expect(new Set(entries.map(({ address }) => address)).size).toBe(5_000)
  })
})

it('where there is one address, the first by name has a port, and the others are told', () => {
  const plan = planHosts(all, { ...options, hasAddresses: false })
  expect(plan.entries.map(({ service: name, address, ports }) => [name, address, ports])).toEqual([
    ['inventory', '127.0.0.1', [8080, 80]],
    ['web', '127.0.0.1', [9090]],
  ])
  expect(hostsAdvice(plan, [], 'darwin')).toEqual([
    {
      code: 'port-clash',
      message: 'web:80 has no listener: inventory has port 80 of 127.0.0.1, the only address here',
      fix: 'intercept forward svc/web 10080:80',
    },
  ])
})

describe('ports that may not be had', () => {
  const unbound = ['web', 'inventory'].map((name) => ({
    ...{ service: name, address: '127.130.0.1', port: name === 'web' ? 443 : 80 },
    ...{ reason: 'privileged' as const, message: 'no' },
  }))
  it.each([
    ['linux', 'sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80   (until the next start), then again'],
    ['darwin', 'intercept forward svc/web 10443:443'],
  ] as const)('are told once, with what to type on %s', (platform, fix) => {
    expect(hostsAdvice({ clashes: [] }, unbound, platform)).toEqual([
      {
        code: 'port-privileged',
        message: 'no listener for web:443, inventory:80: ports below 1024 need a right that you do not have',
        fix,
      },
    ])
  })
})

describe.skipIf(process.platform === 'win32')('the lines', () => {
  let folder: string
  let file: string
  const lines = hostsLines(planHosts(all, { ...options, hasAddresses: true }).entries)
  const typed = (command: string): void => void execFileSync('sh', ['-c', command.replace(/^sudo /, '')])
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hosts-'))
    file = join(folder, 'hosts')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it.each(['127.0.0.1 localhost\n# own intercept here\n', '127.0.0.1 localhost', ''])(
    'come and go by what is printed, and leave %j',
    async (before) => {
      await writeFile(file, before)
      const { add, remove } = hostsCommands(lines, 'linux', file)
      expect(`${add}${remove}`).not.toContain('\n')
      expect(hasLines(before, lines)).toBe(false)
      typed(add)
      typed(add)
      const during = await readFile(file, 'utf8')
      expect(hasLines(during, lines)).toBe(true)
      expect(during.split('\n').filter((line) => line.includes('inventory'))).toHaveLength(1)
      expect(hasLines(during, lines.slice(1))).toBe(false)
      typed(remove)
      expect((await readFile(file, 'utf8')).trimEnd()).toBe(before.trimEnd())
    },
  )
})

it('on Windows are for an administrator’s PowerShell', () => {
  const { add, remove } = hostsCommands(['127.130.0.1 a # intercept'], 'win32')
  expect(add).toBe(
    `Set-Content -Path "$env:SystemRoot\\System32\\drivers\\etc\\hosts" -Encoding ascii -Value (@(Get-Content "$env:SystemRoot\\System32\\drivers\\etc\\hosts" | Where-Object { $_ -notlike '*# intercept' }) + @('127.130.0.1 a # intercept'))`,
  )
  expect(remove).not.toContain('127.130')
})

describe.skipIf(process.platform !== 'linux')('a Service', () => {
  let cluster: ClusterDouble
  beforeEach(async () => {
    cluster = await ClusterDouble.start()
  })
  afterEach(() => cluster.close())

  it('answers on its address and port; a port that is taken is told', async () => {
    const server = http.createServer(({ headers }, response) => response.end(headers.host)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const taken = createServer().listen(0, '0.0.0.0')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const kube = new FakeKube()
    kube.put(services, service('inventory', [{ port: 18_080 }, { port }]))
    // The double knows hosts; the header names a Service.
    cluster.places.set('undefined:18080', (server.address() as AddressInfo).port)
    const { lines, advice, isThere, close } = await openHostsNames({
      ...{ way: cluster.way, kube, onFailure: () => undefined, platform: 'linux', hostsFile: '/nonexistent' },
    })
    const [address] = lines[0]?.split(' ') ?? []
    expect(isThere).toBe(false)
    expect(await (await fetch(`http://${address}:18080`)).text()).toBe(`${address}:18080`)
    expect(advice).toMatchObject([
      { code: 'port-in-use', fix: expect.stringMatching(`^intercept forward svc/inventory \\d*:${port}$`) },
    ])
    close()
    server.close()
    taken.close()
  })
})
