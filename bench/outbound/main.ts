/**
 * `npm run bench:outbound [-- --json | --quick]`, on the cluster that KUBECONFIG names, where intercept is installed
 * laptop -> Service of the cluster through `intercept forward`, beside `kubectl port-forward` to the same Service. Runs
 * alternate; each figure is the median, ratio = ours / kubectl's.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { median, rounded } from '../support/figures.ts'
import { findLoadClient } from '../support/requests.ts'
import { throughput } from '../support/throughput.ts'

type Figure = 'rps' | 'down' | 'up' | 'p50'
type Contender = 'ours' | 'portForward'

const flags = new Set(process.argv.slice(2))
const rounds = flags.has('--quick') ? 1 : 3
const seconds = flags.has('--quick') ? 2 : 4
const contenders: readonly Contender[] = ['ours', 'portForward']
const here = fileURLToPath(new URL('.', import.meta.url))
const cli = join(here, '..', '..', 'dist', 'cli.js')
const folder = mkdtempSync(join(tmpdir(), 'bench-outbound-'))
const namespace = `bench-outbound-${process.pid}`
const kubectl = (args: readonly string[], input?: string): Promise<unknown> => {
  const running = promisify(execFile)('kubectl', [...args])
  if (input !== undefined) running.child.stdin?.end(input)
  return running
}

try {
  await deploy()
  const clientScript = join(folder, 'load-client.mjs')
  await bundle(join(here, '..', 'support', 'load-client.ts'), clientScript)
  const client = await findLoadClient(clientScript)
  const runs = Object.fromEntries(
    (['rps', 'down', 'up', 'p50'] as const).map((figure) => [figure, { ours: [], portForward: [] }]),
  ) as unknown as Record<Figure, Record<Contender, number[]>>
  for (let round = 0; round < rounds; round += 1) {
    for (const who of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const way = await (who === 'ours' ? ourWay() : kubectlWay())
      await client.requests(way.port, 32, 1)
      runs.rps[who].push((await client.requests(way.port, 32, seconds)).rps)
      runs.p50[who].push((await client.requests(way.port, 1, seconds)).p50)
      runs.down[who].push(await throughput(way.port, 'down', seconds))
      // A connection that is broken off is the end of a port-forward.
      const again = who === 'ours' ? way : await way.end().then(kubectlWay)
      runs.up[who].push(await throughput(again.port, 'up', seconds))
      await again.end()
    }
  }
  const result = Object.fromEntries(
    Object.entries(runs).map(([figure, { ours, portForward }]) => {
      const [a, b] = [median(ours), median(portForward)]
      return [figure, { ours: rounded(a), portForward: rounded(b), ratio: rounded(a / b) }]
    }),
  )
  if (flags.has('--json')) console.log(JSON.stringify(result))
  else console.log(`load: ${client.name}; ${rounds} alternating runs, median\n`, result)
} finally {
  await kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'])
  rmSync(folder, { recursive: true })
}

function bundle(entry: string, outfile: string): Promise<unknown> {
  return build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' })
}

async function deploy(): Promise<void> {
  const script = join(folder, 'server.mjs')
  await bundle(join(here, 'pod-server.ts'), script)
  const labels = { app: 'bench' }
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'bench', namespace },
      data: { 'server.mjs': readFileSync(script, 'utf8') },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'bench', namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              {
                name: 'main',
                image: 'node:24-alpine',
                imagePullPolicy: 'IfNotPresent',
                command: ['node', '/script/server.mjs'],
                volumeMounts: [{ name: 'script', mountPath: '/script' }],
                readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
              },
            ],
            volumes: [{ name: 'script', configMap: { name: 'bench' } }],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'bench', namespace },
      spec: { selector: labels, ports: [{ port: 8080 }] },
    },
  ]
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  await kubectl(['-n', namespace, 'rollout', 'status', 'deployment/bench', '--timeout=120s'])
}

interface Way {
  readonly port: number
  end(): Promise<unknown>
}

function ourWay(): Promise<Way> {
  return wayOf(
    spawn(process.execPath, [cli, 'forward', 'svc/bench', ':8080', '-n', namespace, '-o', 'json']),
    /"forwarding","local":(\d+)/,
  )
}

function kubectlWay(): Promise<Way> {
  return wayOf(
    spawn('kubectl', ['-n', namespace, 'port-forward', 'svc/bench', ':8080']),
    /Forwarding from 127\.0\.0\.1:(\d+)/,
  )
}

/** Resolves when the process has named its port. */
async function wayOf(child: ChildProcess, pattern: RegExp): Promise<Way> {
  let output = ''
  const port = await new Promise<number>((resolve, reject) => {
    const read = (text: Buffer): void => {
      output += text
      const found = pattern.exec(output)?.[1]
      if (found !== undefined) resolve(Number(found))
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', () => reject(new Error(`it ended: ${output}`)))
  })
  return {
    port,
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGINT')
      await gone
    },
  }
}
