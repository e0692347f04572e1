import { expect, test } from 'vitest'
import type { EndpointSlice } from '../../src/kube/objects.ts'
import { configMaps, deployments, endpointSlices, services } from '../../src/kube/resources.ts'
import { runCli } from './support/cli.ts'
import { startLocalApp } from './support/local-app.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'
import { deploy, expose } from './support/workload.ts'

const http = { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' } as const
const s = scenario({
  orders: { ports: [http] },
  billing: { ports: [{ name: 'web', port: 8080, targetPort: 8080, protocol: 'TCP' }] },
  direct: { clusterIP: 'None', ports: [{ name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' }] },
  direct2: { clusterIP: 'None', ports: [{ name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' }] },
})

test('two Services at once, named by Service and by workload', async () => {
  const one = await s.intercept('svc/orders', '-p', String(s.local.ports.http))
  const two = await s.intercept('billing', '-p', `${s.local.ports.http}:web`)
  await s.settled('orders', 'laptop')
  await s.settled('billing', 'laptop', 8080)
  // Several Services select the Deployment: it has to be said which.
  const { stdout, code } = await runCli(['deploy/orders', '-p', '1', '-n', s.namespace], { kubeconfig: s.kubeconfig })
  expect(code).toBe(8)
  expect(stdout).toContain('ambiguous-service')
  expect(await one.run.interrupt()).toBe(0)
  await s.settled('orders', /^orders-/)
  await s.settled('billing', 'laptop', 8080)
  expect(await two.run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('a headless Service: callers that dial the endpoints reach the laptop; two on one port conflict', async () => {
  const { run } = await s.intercept('svc/direct', '-p', String(s.local.ports.http))
  const slices = await s.kube.list<EndpointSlice>(endpointSlices, {
    namespace: s.namespace,
    labelSelector: 'kubernetes.io/service-name=direct',
  })
  const published = slices.filter(({ endpoints }) => (endpoints ?? []).length > 0)
  expect(published).toHaveLength(2)
  for (const slice of published) {
    expect(slice.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }])
    const address = slice.endpoints?.[0]?.addresses[0] ?? ''
    expect((await s.caller.get({ host: address, port: 8080 })).who).toBe('laptop')
  }
  const second = await runCli(['svc/direct2', '-p', String(s.local.ports.http), '-n', s.namespace], {
    kubeconfig: s.kubeconfig,
  })
  expect(second.code).toBe(5)
  expect(second.stdout).toContain('headless-port-in-use')
  expect(second.stdout).toContain(`${s.namespace}/direct`)
  expect(await run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('a workload that one Service selects stands for it', async () => {
  await deploy(s.kube, s.namespace, 'lonely', { script: 'app' })
  await expose(s.kube, s.namespace, 'lonely')
  await s.settled('lonely', /^lonely-/)
  const { run, active } = await s.intercept('deploy/lonely', '-p', String(s.local.ports.http))
  expect(active.service).toBe('lonely')
  await s.settled('lonely', 'laptop')
  expect(await run.interrupt()).toBe(0)
  await s.settled('lonely', /^lonely-/)
  await s.kube.delete(services, s.namespace, 'lonely')
  await s.kube.delete(deployments, s.namespace, 'lonely')
  await s.kube.delete(configMaps, s.namespace, 'lonely-script')
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('while the local process is down: hold waits for it, fail refuses', async () => {
  const at = await s.at('orders')
  const port = String(s.local.ports.http)
  const holding = await s.intercept('svc/orders', '-p', port, '--on-local-down', 'hold', '--hold', '20s')
  await s.settled('orders', 'laptop')
  await s.local.stop()
  const held = s.caller.get({ ...at, path: '/held' })
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  s.local = await startLocalApp('laptop', s.cluster.driver.laptop, s.local.ports)
  expect((await held).body).toBe('{"who":"laptop","path":"/held"}')
  expect(await holding.run.interrupt()).toBe(0)

  const failing = await s.intercept('svc/orders', '-p', port, '--on-local-down', 'fail')
  await s.settled('orders', 'laptop')
  await s.local.stop()
  await expect(s.caller.get(at)).rejects.toThrow(/ECONNRESET|hang up/)
  s.local = await startLocalApp('laptop', s.cluster.driver.laptop, s.local.ports)
  expect(await failing.run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('leave, and the command that held it says so', async () => {
  const { run, active } = await s.intercept('svc/orders', '-p', String(s.local.ports.http))
  const status = await runCli(['status', 'orders', '-n', s.namespace], { kubeconfig: s.kubeconfig })
  expect(JSON.parse(status.stdout)).toMatchObject([
    { takenOver: true, intercept: { metadata: { name: active.intercept } } },
  ])
  const left = await runCli(['leave', 'orders', '-n', s.namespace], { kubeconfig: s.kubeconfig })
  expect(left.code, left.stdout).toBe(0)
  await run.until('revoked')
  expect((await run.ended).code).toBe(7)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('a command after -- starts with the intercept, and its end ends it', async () => {
  const child = await runCli(
    [
      'svc/orders',
      '-p',
      String(s.local.ports.http),
      '-n',
      s.namespace,
      '-o',
      'json',
      '--',
      process.execPath,
      '-e',
      'setTimeout(() => process.exit(5), 1500)',
    ],
    { kubeconfig: s.kubeconfig, format: 'text', prefix: s.cluster.driver.laptop },
  )
  expect(child.code).toBe(5)
  expect(child.stdout).toContain('"event":"released"')
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('what a proxy pod cannot repair, restore does', async () => {
  const { run } = await s.intercept('svc/orders', '-p', String(s.local.ports.http))
  const restored = await runCli(['restore', 'svc/orders', '-n', s.namespace], { kubeconfig: s.kubeconfig })
  expect(restored.code, restored.stdout).toBe(0)
  expect((await run.ended).code).toBe(7)
  await s.settled('orders', /^orders-/)
  await expectAsBefore(s.kube, s.namespace, s.before)
})
