import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { services } from '../../src/kube/resources.ts'
import { runCli } from './support/cli.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'
import { expose } from './support/workload.ts'

const s = scenario({
  orders: {
    ports: [
      { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' },
      { name: 'tcp', port: 9000, targetPort: 'tcp', protocol: 'TCP' },
    ],
  },
})

interface Refused {
  code: number | null
  error: { code: string; message: string; fix?: string }
}

async function refused(
  args: string[],
  options: { kubeconfig?: string; env?: Record<string, string> } = {},
): Promise<Refused> {
  const { code, stdout, stderr } = await runCli([...args, '-n', s.namespace], {
    kubeconfig: options.kubeconfig ?? s.kubeconfig,
    ...(options.env ? { env: options.env } : {}),
  })
  const line = stdout.split('\n').find((text) => text.includes('"error"'))
  if (!line) throw new Error(`no error:\n${stdout}\n${stderr}`)
  return { code, error: (JSON.parse(line) as { error: Refused['error'] }).error }
}

/** A kubeconfig of the same cluster with something changed. */
function changedKubeconfig(change: (config: KubeconfigFile) => void): string {
  const config = parse(readFileSync(s.kubeconfig, 'utf8')) as KubeconfigFile
  change(config)
  const file = join(mkdtempSync(join(tmpdir(), 'intercept-e2e-')), 'config')
  writeFileSync(file, stringify(config))
  return file
}

interface KubeconfigFile {
  clusters: { cluster: Record<string, unknown> }[]
  users: { user: Record<string, unknown> }[]
}

test('an unknown Service: says which there are', async () => {
  const { code, error } = await refused(['svc/order', '-p', '8080'])
  expect(code).toBe(8)
  expect(error.code).toBe('service-not-found')
  expect(error.message).toContain(`${s.namespace}/order does not exist`)
  expect(error.message).toContain('orders')
  expect(error.fix).toContain('intercept svc/orders')
})

test('no such port: says which there are', async () => {
  const { code, error } = await refused(['svc/orders', '-p', '8080:https'])
  expect(code).toBe(8)
  expect(error).toMatchObject({ code: 'no-such-port', fix: '--port 8080:http' })
  expect(error.message).toContain('80 (http), 9000 (tcp)')
})

test('an ambiguous port: says what to type', async () => {
  const { code, error } = await refused(['svc/orders', '-p', '8080'])
  expect(code).toBe(8)
  expect(error).toMatchObject({ code: 'ambiguous-port', fix: '--port 8080:http' })
})

test.each([
  ['8080:http:x', 'bad-port'],
  ['eighty', 'bad-port'],
  ['70000', 'bad-port'],
])('a port that is none: %s', async (port, expected) => {
  const { code, error } = await refused(['svc/orders', '-p', port])
  expect(code).toBe(2)
  expect(error.code).toBe(expected)
})

test('ExternalName and no selector are refused with the reason', async () => {
  await s.kube.create(services, {
    metadata: { name: 'elsewhere', namespace: s.namespace },
    spec: { type: 'ExternalName', externalName: 'db.example.com' },
  } as never)
  await expose(s.kube, s.namespace, 'by-hand', { selector: {} })
  try {
    const external = await refused(['svc/elsewhere', '-p', '8080'])
    expect(external.code).toBe(8)
    expect(external.error.code).toBe('service-external-name')
    expect(external.error.message).toContain('db.example.com')
    const byHand = await refused(['svc/by-hand', '-p', '8080'])
    expect(byHand.error.code).toBe('service-without-selector')
  } finally {
    await s.kube.delete(services, s.namespace, 'elsewhere')
    await s.kube.delete(services, s.namespace, 'by-hand')
  }
})

test('an API server that does not answer', async () => {
  const kubeconfig = changedKubeconfig((config) => {
    for (const { cluster } of config.clusters) cluster.server = 'https://127.0.0.1:9'
  })
  const { code, error } = await refused(['svc/orders', '-p', '8080:http'], { kubeconfig })
  expect(code).toBe(6)
  expect(error.code).toBe('api-unreachable')
  expect(error.message).toContain('127.0.0.1:9')
})

test('expired credentials', async () => {
  const kubeconfig = changedKubeconfig((config) => {
    for (const one of config.users) one.user = { token: 'expired' }
  })
  const { code, error } = await refused(['svc/orders', '-p', '8080:http'], { kubeconfig })
  expect(code).toBe(4)
  expect(error.code).toBe('credentials-expired')
  expect(error.fix).toBeTruthy()
})

test('no kubeconfig, and no such context', async () => {
  const missing = await refused(['svc/orders', '-p', '8080'], { kubeconfig: '/nonexistent/config' })
  expect(missing).toMatchObject({ code: 2, error: { code: 'kubeconfig-missing' } })
  const context = await refused(['svc/orders', '-p', '8080', '--context', 'nowhere'])
  expect(context).toMatchObject({ code: 2, error: { code: 'context-unknown' } })
  expect(context.error.message).toContain('nowhere')
})

test('the second intercept of a port is refused with the name of the first, and since when', async () => {
  const { run } = await s.intercept('svc/orders', '-p', `${s.local.ports.http}:http`)
  const { code, error } = await refused(['svc/orders', '-p', '8080:http'])
  expect(code).toBe(5)
  expect(error.code).toBe('already-intercepted')
  const me = await s.kube.whoAmI()
  expect(error.message).toContain(me.username)
  expect(error.message).toMatch(/since \d{4}-\d\d-\d\dT/)
  expect(error.fix).toContain('intercept leave')
  // Another port of the same Service is free.
  const second = await s.intercept('svc/orders', '-p', `${s.local.ports.tcp}:tcp`)
  expect(second.active.ports).toMatchObject([{ port: 9000 }])
  expect(await run.interrupt()).toBe(0)
  expect((await run.until('released')).shared).toBe(true)
  expect(await second.run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('a local port that is closed is a warning; it goes on', async () => {
  const run = s.cli('svc/orders', '-p', '1:http')
  expect((await run.until('warning')).code).toBe('local-port-closed')
  await run.until('active')
  expect((await s.caller.get(await s.at('orders'))).who).toMatch(/^orders-/)
  expect(await run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('unknown options and commands', async () => {
  const { code, error } = await refused(['svc/orders', '--prot', '8080'])
  expect(code).toBe(2)
  expect(error.code).toBe('usage')
  expect((await refused(['leave', 'nothing-of-that-name'])).error.code).toBe('intercept-not-found')
  expect((await refused(['leave'])).error).toMatchObject({ code: 'usage' })
})
