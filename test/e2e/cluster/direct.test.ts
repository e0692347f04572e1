import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ConfigMap, Service } from '../../../src/kube/objects.ts'
import { configMaps, services } from '../../../src/kube/resources.ts'
import { CA_NAME, GATEWAY_ADDRESS_KEY, DEFAULT_SYSTEM_NAMESPACE as system } from '../../../src/resource/names.ts'
import { CliRun, runCli } from '../support/cli.ts'
import { cutDuringTransfer } from '../support/cut-during-transfer.ts'
import { person } from '../support/person.ts'
import { scenario } from '../support/scenario.ts'
import { expectAsBefore } from '../support/snapshot.ts'

const s = scenario()
const nodePort = 31_443
/** Node ports behind which nothing is. */
const nowhere = 31_643

/** The node, as laptops reach it. */
const node = (): string => new URL(s.kube.server).hostname
const addressAt = (port: number | string): string => `wss://${node()}:${port}`

async function install(...options: string[]): Promise<void> {
  const { code, stdout, stderr } = await runCli(['install', ...options], { kubeconfig: s.kubeconfig })
  expect(code, stdout + stderr).toBe(0)
}

const published = async (): Promise<string | undefined> =>
  (await s.kube.get<ConfigMap>(configMaps, system, CA_NAME)).data?.[GATEWAY_ADDRESS_KEY]

/** Another address, with no roll-out: proxy pods write it when they start. */
async function publish(address: string): Promise<void> {
  await s.kube.patch(configMaps, system, CA_NAME, { data: { [GATEWAY_ADDRESS_KEY]: address } }, { type: 'merge' })
}

beforeAll(async () => {
  await install('--gateway-address', addressAt(`{${nodePort}+ordinal}`), '--gateway-node-port', String(nodePort))
}, 120_000)
afterAll(async () => {
  await install()
  expect(await published()).toBeUndefined()
  expect(await s.kube.find<Service>(services, system, 'intercept-gateway-0')).toBeUndefined()
}, 120_000)
afterEach(async () => {
  await publish(addressAt(`{${nodePort}+ordinal}`))
  await s.endRuns()
  await expectAsBefore(s.kube, s.namespace, s.before)
})

const typed = (): string[] => ['svc/orders', '-p', String(s.local.ports.http), '-n', s.namespace]

/** An intercept by such ways only, to its end. @returns how long it took to come up */
async function toActive(carriers: string, carrier: string): Promise<number> {
  const run = new CliRun(typed(), {
    kubeconfig: s.kubeconfig,
    prefix: s.cluster.driver.laptop,
    env: { INTERCEPT_CARRIERS: carriers },
  })
  const active = await run.until('active')
  expect(active.carrier).toBe(carrier)
  await s.settled('orders', 'laptop')
  expect(await run.interrupt()).toBe(0)
  return Number(active.totalMs)
}

test('who may intercept comes directly, with no further right', async () => {
  const kubeconfig = await person(s, 'dora', { clusterRoles: ['intercept-user'] })
  const run = new CliRun(typed(), { kubeconfig, prefix: s.cluster.driver.laptop })
  expect(await run.until('active')).toMatchObject({
    carrier: 'direct',
    replicas: ['intercept-proxy-0', 'intercept-proxy-1'],
  })
  await s.settled('orders', 'laptop')
  expect(await run.interrupt()).toBe(0)
})

test('the link is cut for 8 s during a transfer: nothing is lost or doubled', { timeout: 240_000 }, async () => {
  await cutDuringTransfer(s, 8)
})

test('the proxy pods are replaced: an intercept comes back directly', { timeout: 240_000 }, async () => {
  const at = await s.at('orders')
  const { run, active } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  expect(active.carrier).toBe('direct')
  await s.settled('orders', 'laptop')
  const load = await s.caller.load({ ...at, everyMs: 20 })
  const address = ['--gateway-address', addressAt(`{${nodePort}+ordinal}`), '--gateway-node-port', String(nodePort)]
  await install(...address, '--log-level', 'debug')
  const { errors, ok, sent } = await load.stop()
  expect({ errors, ok }).toEqual({ errors: {}, ok: sent })
  await s.settled('orders', 'laptop')
  const up = run.events.filter(({ event, state }) => event === 'tunnel' && state === 'up')
  expect(
    up
      .map(({ replica, carrier }) => `${replica} ${carrier}`)
      .slice(-2)
      .sort(),
  ).toEqual(['intercept-proxy-0 direct', 'intercept-proxy-1 direct'])
  expect(up).toHaveLength(4)
  expect(await run.interrupt()).toBe(0)
})

test('an address where nothing answers, and a silent one, are not waited for', { timeout: 240_000 }, async ({
  skip,
}) => {
  const [launcher, ...run] = s.cluster.driver.laptop
  if (launcher === undefined) return skip('there is no laptop whose packets could be dropped')
  await publish(addressAt(`{${nowhere}+ordinal}`))
  const without: number[] = []
  const refused: number[] = []
  const silent: number[] = []
  const rule = ['INPUT', '-p', 'tcp', '--sport', `${nowhere}:${nowhere + 1}`, '-j', 'DROP']
  const iptables = (...args: string[]) => promisify(execFile)(launcher, [...run, 'iptables', '-w', ...args])
  for (let round = 0; round < 3; round += 1) {
    without.push(await toActive('pods/proxy', 'pods/proxy'))
    refused.push(await toActive('direct,pods/proxy', 'pods/proxy'))
    await iptables('-A', ...rule)
    silent.push(await toActive('direct,pods/proxy', 'pods/proxy'))
    await iptables('-D', ...rule)
  }
  console.log(`up in ms: pods/proxy ${without}, refused ${refused}, silent ${silent}`)
  // No dial was waited for to its end, which is after 10 s.
  expect(Math.max(...refused, ...silent)).toBeLessThan(8_000)
})

test('an address that leads every carrier to one proxy pod is told, and used for that one only', async () => {
  await publish(addressAt(nodePort))
  const { run, active } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  expect(active.carrier).toBe('direct and pods/proxy')
  expect(await run.until('warning', ({ code }) => code === 'direct-astray')).toMatchObject({
    message: expect.stringContaining('this is intercept-proxy-0, not intercept-proxy-1'),
  })
  await s.settled('orders', 'laptop')
  expect(await run.interrupt()).toBe(0)
})

test('no way but the direct one is needed', async () => {
  expect(await toActive('direct', 'direct')).toBeGreaterThan(0)
})
