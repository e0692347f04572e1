import { afterEach, expect, test } from 'vitest'
import { pods } from '../../src/kube/resources.ts'
import { DEFAULT_SYSTEM_NAMESPACE } from '../../src/resource/names.ts'
import { runCli } from './support/cli.ts'
import { startLocalApp } from './support/local-app.ts'
import { isReady, proxyPods } from './support/proxy-pods.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'
import { until } from './support/until.ts'

const s = scenario()
const system = DEFAULT_SYSTEM_NAMESPACE
const proxiesReady = (): Promise<true> =>
  until('both proxy pods ready', async () => {
    const found = await proxyPods(s.kube)
    return found.length === 2 && found.every(isReady) ? true : undefined
  })

afterEach(async () => {
  await s.endRuns()
  await proxiesReady()
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('the laptop is killed: the cluster answers at once, and no request fails', { timeout: 120_000 }, async () => {
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http), '--ttl', '10s')
  await s.settled('orders', 'laptop')
  const load = await s.caller.load({ ...at, everyMs: 20, timeoutMs: 20_000 })
  const kept = await s.caller.load({ ...at, everyMs: 20, keepAlive: true, timeoutMs: 20_000 })
  await until('load at the laptop', async () => ((await load.peek()).by.laptop ?? 0) > 20)
  run.child.kill('SIGKILL')
  await s.settled('orders', /^orders-/)
  const results = [await load.stop(), await kept.stop()]
  for (const result of results) {
    expect(result.errors).toEqual({})
    expect(result.ok).toBe(result.sent)
    expect(result.by.laptop).toBeGreaterThan(0)
  }
  // Nobody comes back: after the ttl the Service is released and the Intercept deleted.
  await until('the Intercept expired', async () => {
    const { stdout } = await runCli(['list', '-n', s.namespace], { kubeconfig: s.kubeconfig })
    return JSON.parse(stdout).length === 0
  })
})

test('the local process stops and starts: the cluster answers meanwhile, and no request fails', {
  timeout: 120_000,
}, async () => {
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  await s.local.stop()
  const load = await s.caller.load({ ...at, everyMs: 20 })
  await until('the origin answers', async () =>
    Object.keys((await load.peek()).by).some((who) => who.startsWith('orders-')),
  )
  expect((await run.until('warning', ({ code }) => code === 'local-down')).message).toContain('nothing answers')
  s.local = await startLocalApp('laptop', s.cluster.driver.laptop, s.local.ports)
  await until('the laptop answers', async () => ((await load.peek()).by.laptop ?? 0) > 20)
  const result = await load.stop()
  expect(result.errors).toEqual({})
  expect(await run.interrupt()).toBe(0)
})

test('a proxy pod is deleted under load: no request fails, and its successor joins', { timeout: 180_000 }, async () => {
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  const load = await s.caller.load({ ...at, everyMs: 20 })
  const kept = await s.caller.load({ ...at, everyMs: 20, keepAlive: true })
  const [first] = await proxyPods(s.kube)
  await s.kube.delete(pods, system, first?.metadata.name ?? '', first?.metadata.uid ? { uid: first.metadata.uid } : {})
  await until('another pod of that name', async () =>
    (await proxyPods(s.kube)).some(
      (pod) => pod.metadata.name === first?.metadata.name && pod.metadata.uid !== first?.metadata.uid && isReady(pod),
    ),
  )
  await s.settled('orders', 'laptop')
  for (const result of [await load.stop(), await kept.stop()]) {
    expect(result.errors).toEqual({})
    expect(result.ok).toBe(result.sent)
  }
  expect(await run.interrupt()).toBe(0)
})

test('every proxy pod is killed at once: service is back within seconds, and the laptop too', {
  timeout: 180_000,
}, async () => {
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  const load = await s.caller.load({ ...at, everyMs: 50, timeoutMs: 2_000 })
  for (const { metadata } of await proxyPods(s.kube))
    await s.kube.delete(pods, system, metadata.name, { gracePeriodSeconds: 0 })
  await proxiesReady()
  await s.settled('orders', 'laptop')
  const result = await load.stop()
  console.log(
    `all proxy pods killed: ${result.failed} of ${result.sent} requests failed, longest gap ${Math.round(result.maxGapMs)} ms`,
  )
  expect(result.maxGapMs).toBeLessThan(20_000)
  expect(await run.interrupt()).toBe(0)
})
