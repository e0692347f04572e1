import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startEmbeddedCluster } from '../../../cli/demo/cluster/cluster.ts'
import { isAlive, untilTrue } from './processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'embedded-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const parent = `
import { startEmbeddedCluster } from ${JSON.stringify(join(import.meta.dirname, '../../../cli/demo/cluster/cluster.ts'))}
const cluster = await startEmbeddedCluster()
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec: { containers: [
  { name: 'c', image: 'node:22', command: ['node', '-e', 'process.on("SIGTERM", () => {}); require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"]); setInterval(() => {}, 1e6)'] }] } }
const { raw } = await import(${JSON.stringify(join(import.meta.dirname, 'api-client.ts'))})
await cluster.until('serviceaccounts', (all) => all.some(({ metadata }) => metadata.namespace === 'default'))
const made = await raw(cluster.kubeconfigPath, 'POST', '/api/v1/namespaces/default/pods', { body: pod })
await cluster.until('pods', (all) => all.some((each) => each.status.phase === 'Running'))
while (cluster.podPids('default', 'p').length === 0) await new Promise((resolve) => setImmediate(resolve))
console.log(JSON.stringify({ pids: cluster.podPids('default', 'p'), kubeconfig: cluster.kubeconfigPath, made: made.status }))
`

test('pods end, and the folder goes, when the process of the cluster is killed', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', parent], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const { pids, kubeconfig, made } = JSON.parse(String(line))
  expect(made).toBe(201)
  expect(pids.filter(isAlive)).toEqual(pids)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await untilTrue(() => pids.every((pid: number) => !isAlive(pid)) && !existsSync(dirname(kubeconfig)))
})

test('it starts in half a second, several at a time, each with addresses of its own', async () => {
  const started = performance.now()
  const clusters = await Promise.all([startEmbeddedCluster(), startEmbeddedCluster(), startEmbeddedCluster()])
  expect((performance.now() - started) / clusters.length).toBeLessThan(500)
  const addresses = await Promise.all(clusters.map((cluster) => cluster.serviceAddress('default', 'kubernetes')))
  if (clusters.every((cluster) => !cluster.singleAddress)) {
    expect(new Set(addresses.map(({ host }) => host)).size).toBe(clusters.length)
  }
  await Promise.all(clusters.map((cluster) => cluster.stop()))
  for (const { kubeconfigPath } of clusters) expect(existsSync(dirname(kubeconfigPath))).toBe(false)
})

test('nothing keeps the process alive after stop', async () => {
  const script = `
    import { startEmbeddedCluster } from ${JSON.stringify(join(import.meta.dirname, '../../../cli/demo/cluster/cluster.ts'))}
    const cluster = await startEmbeddedCluster()
    await cluster.stop()`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
})
