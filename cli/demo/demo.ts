import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../src/errors.ts'
import { connectKube } from '../../src/kube/index.ts'
import { applyInstallation } from '../install/apply.ts'
import { type EmbeddedCluster, startEmbeddedCluster } from './cluster/cluster.ts'
import { type Dict, stringOf } from './cluster/json.ts'
import { shopNamespace } from './shop/shop.ts'
import { CliRun } from './story/cli-run.ts'
import { deployShop } from './story/deploy-shop.ts'
import { LocalOrders } from './story/local-orders.ts'
import { startPreview } from './story/preview.ts'
import { Screen } from './story/screen.ts'
import type { Phase, Tally } from './story/tally.ts'
import { Traffic } from './story/traffic.ts'

export interface DemoOptions {
  /** The command line that intercepts: a file for `node`. */
  readonly cli: string
  /** The gzipped JavaScript of the proxy pod. */
  readonly bundle: Buffer
  /** Ends the demo. */
  readonly signal: AbortSignal
  readonly singleAddress?: boolean
  /** What happens; the screen and `-o json` show it. */
  onStep(step: DemoStep): void
}

export type DemoStep =
  | { readonly event: 'cluster'; readonly server: string; readonly kubeconfig: string; readonly ms: number }
  | { readonly event: 'installed'; readonly ms: number }
  | { readonly event: 'deployed'; readonly ms: number }
  | { readonly event: 'intercept'; readonly file: string; readonly port: number; readonly page: string }

export interface DemoResult {
  readonly requests: Record<Phase, Tally>
  /** From the Intercept's creation until the proxy pods are the Service's endpoints. */
  readonly takeoverMs: number
  /** From Ctrl-C until the cluster's pods are the Service's endpoints again. */
  readonly releaseMs: number
  /** From the start of the command until the first request was answered by the local process. */
  readonly firstAnswerMs: number
  readonly clusterMs: number
  readonly installMs: number
  readonly totalMs: number
  /** The first few failures, in words. */
  readonly failures: string[]
}

const beforeMs = 1_500
const duringMs = 3_000
const afterMs = 1_500
const orderEveryMs = 20
const watchedEveryMs = 100

/** What the cluster and the shop are before anything is intercepted. */
interface Stage {
  readonly cluster: EmbeddedCluster
  readonly folder: string
  readonly clusterMs: number
  readonly installMs: number
  close(): Promise<void>
}

/** The whole story unattended: before, during and after an intercept of `orders`, every request counted. */
export async function runDemoOnce(options: DemoOptions): Promise<DemoResult> {
  const startedMs = performance.now()
  const stage = await setStage(options)
  const { cluster, folder } = stage
  const local = await LocalOrders.start(folder, await urlOf(cluster, 'inventory'))
  const traffic = new Traffic(await cluster.serviceAddress(shopNamespace, 'web'), orderEveryMs)
  const failures: string[] = []
  let firstAnswer: number | undefined
  traffic.onAnswer = ({ kind, who }) => {
    if (kind === 'laptop') firstAnswer ??= performance.now()
    if (kind === 'failed' && failures.length < 5) failures.push(who)
  }
  try {
    await sleep(beforeMs, undefined, options)
    traffic.phase = 'during'
    const run = intercept(options, stage, local)
    const created = await run.until('created')
    const active = await run.until('active')
    await sleep(duringMs, undefined, options)
    const interruptedMs = performance.now()
    const [exitCode, released] = await Promise.all([run.interrupt(), run.until('released')])
    if (exitCode !== 0) failures.push(`intercept ended with ${exitCode}`)
    traffic.phase = 'after'
    await sleep(afterMs, undefined, options)
    await traffic.stop()
    const round = (ms: number) => Math.round(ms)
    return {
      requests: traffic.tallies,
      takeoverMs: round(active.atMs - created.atMs),
      releaseMs: round(released.atMs - interruptedMs),
      firstAnswerMs: round((firstAnswer ?? Number.NaN) - run.startedMs),
      clusterMs: stage.clusterMs,
      installMs: stage.installMs,
      totalMs: round(performance.now() - startedMs),
      failures,
    }
  } finally {
    await traffic.stop()
    await local.close()
    await stage.close()
  }
}

/** The story for a person: until the signal. `out` shows who answers. */
export async function runDemo(
  options: DemoOptions,
  out: Writable & { isTTY?: boolean; columns?: number },
): Promise<Traffic['tallies']> {
  const stage = await setStage(options)
  const { cluster, folder } = stage
  const local = await LocalOrders.start(folder, await urlOf(cluster, 'inventory'))
  const preview = await startPreview(await cluster.serviceAddress(shopNamespace, 'web'))
  const traffic = new Traffic(await cluster.serviceAddress(shopNamespace, 'web'), watchedEveryMs)
  options.onStep({ event: 'intercept', file: local.file, port: local.port, page: preview.url })
  const screen = new Screen(out, traffic, { file: local.file, page: preview.url, kubeconfig: cluster.kubeconfigPath })
  local.onRestart = ({ ms, error }) =>
    screen.tell(
      error === undefined
        ? `saved: your orders runs again after ${ms} ms`
        : `your orders does not start: ${error}; the cluster answers`,
    )
  const ended = new Promise<void>((resolve) => {
    if (options.signal.aborted) resolve()
    options.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  try {
    screen.tell('the cluster answers; intercepting orders in a moment')
    await Promise.race([sleep(beforeMs), ended])
    if (options.signal.aborted) return traffic.tallies
    traffic.phase = 'during'
    screen.tell(`$ intercept svc/orders --port ${local.port}:http -n ${shopNamespace}`)
    const run = intercept(options, stage, local)
    run.onEvent = (event) => screen.tell(describe(event))
    await Promise.race([run.until('active'), ended])
    await ended
    screen.tell('giving orders back')
    await run.interrupt()
    traffic.phase = 'after'
    await sleep(afterMs)
    return traffic.tallies
  } catch (error) {
    screen.tell(messageOf(error))
    throw error
  } finally {
    screen.close()
    await traffic.stop()
    await local.close()
    preview.close()
    await stage.close()
  }
}

function intercept({ cli }: DemoOptions, { cluster, folder }: Stage, { port }: LocalOrders): CliRun {
  return new CliRun(folder, cli, ['svc/orders', '--port', `${port}:http`, '-n', shopNamespace], cluster.kubeconfigPath)
}

async function setStage({ bundle, onStep, signal, singleAddress }: DemoOptions): Promise<Stage> {
  const startedMs = performance.now()
  const dir = mkdtempSync(join(tmpdir(), 'intercept-demo-'))
  const cluster = await startEmbeddedCluster({ dir, ...(singleAddress === undefined ? {} : { singleAddress }) })
  // Goes with the cluster's folder, also when this process is killed.
  const folder = join(dir, 'laptop')
  const close = () => cluster.stop()
  try {
    mkdirSync(folder)
    const clusterMs = Math.round(performance.now() - startedMs)
    onStep({ event: 'cluster', server: cluster.server, kubeconfig: cluster.kubeconfigPath, ms: clusterMs })
    const kube = await connectKube({ kubeconfig: cluster.kubeconfigPath })
    const since = performance.now()
    const passed = () => Math.round(performance.now() - since)
    await Promise.all([
      deployShop(cluster, kube).then(() => onStep({ event: 'deployed', ms: passed() })),
      applyInstallation(kube, {}, bundle, { progress: () => undefined, signal }).then(() =>
        onStep({ event: 'installed', ms: passed() }),
      ),
    ])
    return { cluster, folder, clusterMs, installMs: passed(), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function urlOf(cluster: EmbeddedCluster, service: string): Promise<string> {
  const { host, port } = await cluster.serviceAddress(shopNamespace, service)
  return `http://${host}:${port}`
}

function describe(event: Dict): string {
  const { event: name, takeoverMs, releaseMs, carrier, replica, state, message } = event
  switch (name) {
    case 'created':
      return `the Intercept ${event.intercept} exists: you hold orders`
    case 'tunnel':
      return `tunnel to ${replica}: ${state}`
    case 'active':
      return `this machine answers, through ${carrier}${takeoverMs === undefined ? '' : `, after ${takeoverMs} ms`}`
    case 'released':
      return `the cluster answers again, after ${releaseMs} ms`
    default:
      return stringOf(message) ?? JSON.stringify(event)
  }
}
