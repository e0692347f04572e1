import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { codeOf } from '../../../src/errors.ts'
import type { Service } from '../../../src/kube/objects.ts'
import { services } from '../../../src/kube/resources.ts'
import { DEFAULT_SYSTEM_NAMESPACE as system } from '../../../src/resource/names.ts'
import type { LoadResult } from '../apps/caller-http.ts'
import { runCli } from '../support/cli.ts'
import { type LinkRelay, startLinkRelay } from '../support/link-relay.ts'
import { scenario } from '../support/scenario.ts'
import { expectAsBefore } from '../support/snapshot.ts'

const s = scenario()
let relays: readonly LinkRelay[] = []

/** Where the gateway of a proxy pod really is. */
function gatewayOf(ordinal: number): { host: string; port: number } {
  const url = new URL(s.cluster.driver.podUrl?.(system, `intercept-proxy-${ordinal}`, 8443) ?? '')
  return { host: url.hostname, port: Number(url.port) }
}

/** Relays to both proxy pods, on ports beside each other. */
async function startRelays(): Promise<readonly LinkRelay[]> {
  for (;;) {
    const first = await startLinkRelay(() => gatewayOf(0))
    try {
      return [first, await startLinkRelay(() => gatewayOf(1), first.port + 1)]
    } catch (error) {
      first.stop()
      if (codeOf(error) !== 'EADDRINUSE') throw error
    }
  }
}

beforeAll(async () => {
  relays = await startRelays()
  const address = `wss://127.0.0.1:{${relays[0]?.port}+ordinal}`
  const installed = await runCli(['install', '--gateway-address', address, '--gateway-service', 'ClusterIP'], {
    kubeconfig: s.kubeconfig,
  })
  expect(installed.code, installed.stdout).toBe(0)
}, 120_000)
afterAll(() => {
  for (const relay of relays) relay.stop()
})
afterEach(async () => {
  for (const { link } of relays) await link.set('--up')
  await s.endRuns()
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('an intercept, and a way into the cluster, go directly where an address is offered', async () => {
  const { run, active } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  expect(active).toMatchObject({ carrier: 'direct', replicas: ['intercept-proxy-0', 'intercept-proxy-1'] })
  await s.settled('orders', 'laptop')
  const forward = s.cli('forward', 'svc/orders', ':80')
  expect(await forward.until('forwarding')).toMatchObject({ route: 'direct' })
  expect(await forward.interrupt()).toBe(0)
  expect(await run.interrupt()).toBe(0)
})

test('each proxy pod has its Service', async () => {
  const found = await s.kube.get<Service>(services, system, 'intercept-gateway-1')
  expect(found.spec.selector).toEqual({ 'statefulset.kubernetes.io/pod-name': 'intercept-proxy-1' })
})

test('the direct way falls silent: carriers go through the API server, and nothing is lost', {
  timeout: 120_000,
}, async () => {
  const at = await s.at('orders')
  const { run, active } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  expect(active.carrier).toBe('direct')
  await s.settled('orders', 'laptop')
  for (const { link } of relays) await link.set('--rate', '100mbit')
  const bytes = 40_000_000
  const transfers = (['up', 'down'] as const).map((direction) =>
    s.caller.callLong<{ who: string; intact: boolean; bytes: number }>('transfer', { ...at, direction, bytes }),
  )
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  for (const { link } of relays) await link.set('--down')
  for (const transfer of transfers) expect(await transfer).toMatchObject({ who: 'laptop', intact: true, bytes })
  // What is begun meanwhile does not wait for it either.
  const forward = s.cli('forward', 'svc/orders', ':80')
  expect(await forward.until('forwarding')).toMatchObject({ route: 'pods/proxy' })
  expect(await forward.interrupt()).toBe(0)
  for (const { link } of relays) await link.set('--rate', '0mbit')
  expect(await run.interrupt()).toBe(0)
})

test('the API server is away: the laptop answers all the same', { timeout: 120_000 }, async () => {
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  const resume = await s.cluster.driver.pauseApi?.()
  const load = await s.caller.start<LoadResult>('loadFor', { ...at, everyMs: 50, forMs: 10_000 })
  const result = await load.result()
  await resume?.()
  expect(result.errors).toEqual({})
  expect(result.by).toEqual({ laptop: result.sent })
  expect(await run.interrupt()).toBe(0)
})
