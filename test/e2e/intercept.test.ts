import { expect, test } from 'vitest'
import { runCli } from './support/cli.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'

const s = scenario()

test('requests of the cluster are answered by the local process, and then by the cluster again', async () => {
  const at = await s.at('orders')
  expect((await s.caller.get(at)).who).toMatch(/^orders-/)
  const { run, active } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  expect(active).toMatchObject({ service: 'orders', carrier: 'pods/proxy' })
  expect(active.replicas).toHaveLength(2)
  await s.settled('orders', 'laptop')
  const answers = await Promise.all(Array.from({ length: 20 }, () => s.caller.get({ ...at, path: '/hello' })))
  expect(answers.map(({ who }) => who)).toEqual(Array(20).fill('laptop'))
  expect(answers[0]?.body).toBe('{"who":"laptop","path":"/hello"}')

  const listed = await runCli(['list', '-n', s.namespace], { kubeconfig: s.kubeconfig })
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { spec: { service: 'orders', ports: [{ port: 80, name: 'http' }] } },
  ])

  expect(await run.interrupt()).toBe(0)
  expect((await run.until('released')).service).toBe('orders')
  await s.settled('orders', /^orders-/)
  const after = await Promise.all(Array.from({ length: 10 }, () => s.caller.get(at)))
  for (const { who } of after) expect(who).toMatch(/^orders-/)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test.each([
  { kind: 'a new connection for each request', keepAlive: false },
  { kind: 'keep-alive connections', keepAlive: true },
])('20 takeovers and releases under load with $kind: no request fails', { timeout: 240_000 }, async ({ keepAlive }) => {
  const at = await s.at('orders')
  const load = await s.caller.load({ ...at, everyMs: 10, keepAlive })
  for (let round = 0; round < 20; round++) {
    const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
    expect(await run.interrupt(), run.output).toBe(0)
  }
  const result = await load.stop()
  expect(result.errors).toEqual({})
  expect(result.failed).toBe(0)
  expect(result.ok).toBe(result.sent)
  expect(result.by.laptop).toBeGreaterThan(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})
