import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { connectKube } from '../../../src/kube/index.ts'
import { type Intercept, interceptType } from '../../../src/resource/intercept.ts'
import { generateKeys } from '../../../src/tunnel/index.ts'
import { CliRun, runCli } from '../support/cli.ts'
import { person as personWith } from '../support/person.ts'
import { scenario } from '../support/scenario.ts'
import { expectAsBefore } from '../support/snapshot.ts'
import { until } from '../support/until.ts'

const s = scenario()

/** A kubeconfig of a new service account with one ClusterRole in the namespace, or with none. */
const person = (name: string, role: string | undefined): Promise<string> =>
  personWith(s, name, { clusterRoles: role === undefined ? [] : [role] })

test.each(['intercept-user', 'edit'])('a user with only the role %s intercepts, lists and leaves', async (role) => {
  const kubeconfig = await person('alice', role)
  const run = new CliRun(['svc/orders', '-p', String(s.local.ports.http), '-n', s.namespace], {
    kubeconfig,
    prefix: s.cluster.driver.laptop,
  })
  const active = await run.until('active')
  expect(active.carrier).toBe('pods/proxy')
  await s.settled('orders', 'laptop')
  const listed = await runCli(['list', '-n', s.namespace], { kubeconfig })
  expect(JSON.parse(listed.stdout)).toMatchObject([{ spec: { holder: expect.stringContaining('alice') } }])
  expect(await run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('a user with no rights is told which are missing', async () => {
  const kubeconfig = await person('nobody', undefined)
  const { code, stdout } = await runCli(['svc/orders', '-p', '8080', '-n', s.namespace], { kubeconfig })
  expect(code).toBe(4)
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; fix: string } }
  expect(error.code).toBe('forbidden')
  expect(error.message).toMatch(/get services/)
  expect(error.message).toContain(s.namespace)
  expect(error.fix).toContain('kubectl create')
})

test('nobody makes an Intercept in the name of another, changes or deletes hers', async () => {
  const [alice, bob] = [await person('alice', 'intercept-user'), await person('bob', 'intercept-user')]
  const run = new CliRun(['svc/orders', '-p', String(s.local.ports.http), '-n', s.namespace], {
    kubeconfig: alice,
    prefix: s.cluster.driver.laptop,
  })
  const { intercept } = await run.until('active')
  const bobs = await connectKube({ kubeconfig: bob })
  const hers = await bobs.get<Intercept>(interceptType, s.namespace, String(intercept))
  const forged = { ...hers, metadata: { name: 'forged', namespace: s.namespace } }
  await expect(bobs.create(interceptType, forged)).rejects.toMatchObject({ message: expect.stringContaining('holder') })
  const patch = { spec: { ttlSeconds: 99999 } }
  await expect(bobs.patch(interceptType, s.namespace, String(intercept), patch, { type: 'merge' })).rejects.toThrow(
    /alice/,
  )
  await expect(bobs.delete(interceptType, s.namespace, String(intercept))).rejects.toThrow(/alice/)
  const taken = await runCli(['svc/orders', '-p', '8080', '-n', s.namespace], { kubeconfig: bob })
  expect(taken.code).toBe(5)
  expect(taken.stdout).toContain('alice')
  const left = await runCli(['leave', 'orders', '-n', s.namespace], { kubeconfig: bob })
  expect(left.code).toBe(4)
  // Who has the right to, may.
  const revoked = await runCli(['revoke', String(intercept), '-n', s.namespace], { kubeconfig: s.kubeconfig })
  expect(revoked.code, revoked.stdout).toBe(0)
  expect((await run.ended).code).toBe(7)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('where pods/proxy is forbidden, carriers go through port-forward', async () => {
  const kubeconfig = await person('carol', 'intercept-user')
  const run = new CliRun(['svc/orders', '-p', String(s.local.ports.http), '-n', s.namespace], {
    kubeconfig,
    prefix: s.cluster.driver.laptop,
    env: { INTERCEPT_CARRIERS: 'port-forward' },
  })
  const active = await run.until('active')
  expect(active.carrier).toBe('port-forward')
  await s.settled('orders', 'laptop')
  expect(await run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('whole-service intercepts can be switched off; the refusal tells the command that works', {
  timeout: 120_000,
}, async () => {
  const kubeconfig = await person('erin', 'intercept-user')
  const install = async (...options: string[]) => {
    const { code, stdout, stderr } = await runCli(['install', ...options], { kubeconfig: s.kubeconfig })
    expect(code, stdout + stderr).toBe(0)
  }
  const typed = ['svc/orders', '-p', String(s.local.ports.http), '-n', s.namespace]
  await install('--no-whole-service')
  try {
    // The API server takes a moment to follow a policy.
    const erins = await connectKube({ kubeconfig })
    const { username: holder } = await erins.whoAmI()
    const whole: Intercept = {
      apiVersion: 'intercept.dev/v1alpha1',
      kind: 'Intercept',
      metadata: { name: 'whole', namespace: s.namespace },
      spec: {
        service: 'orders',
        ports: [{ port: 80 }],
        holder,
        publicKey: generateKeys().publicKey,
        mode: 'intercept',
        onLocalDown: 'origin',
        holdSeconds: 10,
        client: { version: '0.0.0' },
      },
    }
    await until('the policy', () =>
      erins.create(interceptType, whole, { dryRun: true }).then(
        () => false,
        (error: Error) => /--as/.test(error.message),
      ),
    )
    const { code, stdout } = await runCli(typed, { kubeconfig })
    expect(code).toBe(4)
    expect(stdout).toMatch(/--as/)
    const run = new CliRun([...typed, '--as', 'erin'], { kubeconfig, prefix: s.cluster.driver.laptop })
    await run.until('active')
    expect(await run.interrupt()).toBe(0)
  } finally {
    await install()
  }
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('a preview reaches the Services of its namespace; further only with a right of its own', async () => {
  const [user, editor] = [await person('fay', 'intercept-user'), await person('gus', 'edit')]
  const preview = (kubeconfig: string, ...what: string[]) =>
    new CliRun(['preview', ...what, '--as', 'ada', '-n', s.namespace], { kubeconfig })
  const own = preview(user, 'svc/orders')
  const { url } = await own.until('active')
  expect((await fetch(String(url))).headers.get('x-who')).toMatch(/^orders-/)
  expect(await own.interrupt()).toBe(0)
  const { host, port } = await s.at('orders')
  const address = `http://${host}:${port}`
  const refused = preview(user, '--url', address)
  const { error } = (await refused.until('error')) as unknown as { error: { code: string; fix: string } }
  expect(error).toMatchObject({ code: 'forbidden', fix: expect.stringContaining('intercept-outbound') })
  const allowed = preview(editor, '--url', address)
  const { url: further } = await allowed.until('active')
  expect((await fetch(String(further))).headers.get('x-who')).toMatch(/^orders-/)
  expect(await allowed.interrupt()).toBe(0)
  for (const denied of ['http://169.254.169.254', 'http://127.0.0.1:8443']) {
    const run = preview(editor, '--url', denied)
    const page = await fetch(String((await run.until('active')).url))
    expect(page.status).toBe(502)
    expect(await page.text()).toContain('may not be reached')
    expect(await run.interrupt()).toBe(0)
  }
  await expectAsBefore(s.kube, s.namespace, s.before)
})

const launcher = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'cluster', 'user')
test.skipIf(!existsSync(launcher))('a user with a client certificate', async () => {
  const { stdout } = await promisify(execFile)(launcher, ['e2e-dave'])
  const kubeconfig = stdout.trim()
  const who = await (await connectKube({ kubeconfig })).whoAmI()
  expect(who.username).toBe('e2e-dave')
  const { code } = await runCli(['svc/orders', '-p', '8080', '-n', s.namespace], { kubeconfig })
  expect(code).toBe(4)
})
