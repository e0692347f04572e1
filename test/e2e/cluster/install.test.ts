import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { CREATED_BY_LABEL } from '../../../cli/install/namespace.ts'
import type { Pod } from '../../../src/kube/objects.ts'
import { clusterRoles, customResourceDefinitions, namespaces, pods } from '../../../src/kube/resources.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { DEFAULT_SYSTEM_NAMESPACE, PROXY_NAME } from '../../../src/resource/names.ts'
import { runCli } from '../support/cli.ts'
import { scenario } from '../support/scenario.ts'
import { expectAsBefore } from '../support/snapshot.ts'
import { until } from '../support/until.ts'

const exec = promisify(execFile)
const root = join(import.meta.dirname, '..', '..', '..')
const chart = join(root, 'charts', 'intercept')
const hasHelm = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'helm')))
const s = scenario()
const system = DEFAULT_SYSTEM_NAMESPACE
const helm = (...args: string[]) =>
  exec('helm', [...args, '--kubeconfig', s.kubeconfig], { env: { ...process.env, HELM_CACHE_HOME: tmpdir() } })

/** Names of everything of ours in the cluster, outside the test's namespace. */
async function ours(): Promise<string[]> {
  const [crds, roles, places] = await Promise.all([
    s.kube.list<KubeObject>(customResourceDefinitions),
    s.kube.list<KubeObject>(clusterRoles),
    s.kube.list<KubeObject>(namespaces),
  ])
  return [...crds, ...roles, ...places]
    .map(({ metadata }) => metadata.name)
    .filter((name) => name.includes('intercept'))
}

afterAll(async () => {
  const { code, stdout } = await runCli(['install'], { kubeconfig: s.kubeconfig })
  expect(code, stdout).toBe(0)
}, 120_000)

test('an upgrade under load with an intercept: no request fails', { timeout: 200_000 }, async () => {
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  const load = await s.caller.load({ ...at, everyMs: 20 })
  const kept = await s.caller.load({ ...at, everyMs: 20, keepAlive: true })
  const upgraded = await runCli(['install', '--log-level', 'debug'], { kubeconfig: s.kubeconfig })
  expect(upgraded.code, upgraded.stdout).toBe(0)
  expect(upgraded.stdout).toContain('"change":"changed"')
  await s.settled('orders', 'laptop')
  for (const result of [await load.stop(), await kept.stop()]) {
    expect(result.errors).toEqual({})
    expect(result.ok).toBe(result.sent)
  }
  expect(await run.interrupt()).toBe(0)
  const found = await s.kube.list<Pod>(pods, {
    namespace: system,
    labelSelector: `app.kubernetes.io/name=${PROXY_NAME}`,
  })
  expect(found.map(({ spec }) => spec.containers[0]?.env?.find(({ name }) => name === 'LOG_LEVEL')?.value)).toEqual([
    'debug',
    'debug',
  ])
})

test('uninstall with an intercept active, under load: no request fails, nothing is left', {
  timeout: 200_000,
}, async () => {
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  const { metadata } = await s.kube.get<KubeObject>(namespaces, undefined, system)
  const isOurs = metadata.labels?.[CREATED_BY_LABEL] !== undefined
  const load = await s.caller.load({ ...at, everyMs: 20 })
  const removed = await runCli(['uninstall'], { kubeconfig: s.kubeconfig })
  expect(removed.code, removed.stdout).toBe(0)
  expect((await run.ended).code).toBe(7)
  await s.settled('orders', /^orders-/)
  const result = await load.stop()
  expect(result.errors).toEqual({})
  // A namespace that somebody else made stays.
  expect(await ours()).toEqual(isOurs ? [] : [system])
  await expectAsBefore(s.kube, s.namespace, s.before)

  const { code, stdout } = await runCli(['svc/orders', '-p', '8080', '-n', s.namespace], { kubeconfig: s.kubeconfig })
  expect(code).toBe(3)
  expect(stdout).toContain('not-installed')
  expect(stdout).toContain('intercept install')
})

test('the proxy pods are small: at most 96 MiB at idle', { timeout: 200_000 }, async () => {
  // Fresh ones: the test before took the installation away.
  const installed = await runCli(['install'], { kubeconfig: s.kubeconfig })
  expect(installed.code, installed.stdout).toBe(0)
  const found = await s.kube.list<Pod>(pods, {
    namespace: system,
    labelSelector: `app.kubernetes.io/name=${PROXY_NAME}`,
  })
  for (const { metadata } of found) {
    const path = `/api/v1/namespaces/${system}/pods/https:${metadata.name}:8443/proxy/metrics`
    const text = await s.kube.request<string>('GET', path)
    const bytes = Number(/^process_resident_memory_bytes (\S+)$/m.exec(String(text))?.[1])
    console.log(`${metadata.name}: ${(bytes / 1024 ** 2).toFixed(1)} MiB`)
    expect(bytes / 1024 ** 2).toBeLessThan(96)
  }
})

test.skipIf(!hasHelm)(
  'the chart: install, intercept, and an uninstall that releases first',
  { timeout: 240_000 },
  async () => {
    // The command line installed before; Helm does not take its objects over.
    expect((await runCli(['uninstall'], { kubeconfig: s.kubeconfig })).code).toBe(0)
    await helm(
      'install',
      'intercept',
      chart,
      '--namespace',
      system,
      '--create-namespace',
      '--wait',
      '--timeout',
      '120s',
    )
    const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
    await s.settled('orders', 'laptop')
    const refused = await runCli(['install'], { kubeconfig: s.kubeconfig })
    expect(refused.code).not.toBe(0)
    expect(refused.stdout).toContain('installed-by-helm')
    const load = await s.caller.load({ ...(await s.at('orders')), everyMs: 20 })
    await helm('uninstall', 'intercept', '--namespace', system, '--wait', '--timeout', '120s')
    expect((await run.ended).code).toBe(7)
    const result = await load.stop()
    expect(result.errors).toEqual({})
    await expectAsBefore(s.kube, s.namespace, s.before)
    await s.kube.delete(namespaces, undefined, system)
    await until('nothing of ours', async () => (await ours()).length === 0)
  },
)

test('the package installs and runs elsewhere with no build step', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'intercept-pack-'))
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
    }),
  ) as { filename: string }[]
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  execFileSync('npm', ['install', '--offline', '--ignore-scripts', join(folder, packed?.filename ?? '')], {
    cwd: folder,
  })
  const bin = join(folder, 'node_modules', '.bin', 'intercept')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  expect(execFileSync(bin, ['--version'], { encoding: 'utf8' }).trim()).toBe(version)
  expect(execFileSync(bin, ['install', '--dry-run', '-o', 'yaml'], { encoding: 'utf8' })).toContain('proxy-pod.js.gz')
})
