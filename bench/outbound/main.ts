/**
 * `npm run bench:outbound [-- --json | --quick | --direct]`, on the cluster that KUBECONFIG names, where intercept is
 * installed: laptop -> Service of the cluster through `intercept forward`, beside `kubectl port-forward` to the same
 * Service. With --direct, where the installation has an address past the API server: `intercept forward` by it, beside
 * itself through pods/proxy. Runs alternate; each figure is the median, ratio = the first / the second.
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
type Contender = 'ours' | 'portForward' | 'direct' | 'podsProxy'

const flags = new Set(process.argv.slice(2))
const rounds = flags.has('--quick') ? 1 : 3
const seconds = flags.has('--quick') ? 2 : 4
const contenders: readonly [Contender, Contender] = flags.has('--direct')
  ? ['direct', 'podsProxy']
  : ['ours', 'portForward']
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
    (['rps', 'down', 'up', 'p50'] as const).map((figure) => [
      figure,
      Object.fromEntries(contenders.map((who) => [who, []])),
    ]),
  ) as unknown as Record<Figure, Record<Contender, number[]>>
  for (let round = 0; round < rounds; round += 1) {
    for (const who of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const way = await start(who)
      await client.requests(way.port, 32, 1)
      runs.rps[who].push((await client.requests(way.port, 32, seconds)).rps)
      runs.p50[who].push((await client.requests(way.port, 1, seconds)).p50)
      runs.down[who].push(await throughput(way.port, 'down', seconds))
      // A connection that is broken off is the end of a port-forward.
      const again = who === 'portForward' ? await way.end().then(kubectlWay) : way
      runs.up[who].push(await throughput(again.port, 'up', seconds))
      await again.end()
    }
  }
  const result = Object.fromEntries(
    Object.entries(runs).map(([figure, of]) => {
      const [a, b] = contenders.map((who) => median(of[who])) as [number, number]
      return [figure, { [contenders[0]]: rounded(a), [contenders[1]]: rounded(b), ratio: rounded(a / b) }]
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

function start(who: Contender): Promise<Way> {
  switch (who) {
    case 'ours':
      return ourWay()
    case 'direct':
      return ourWay('direct')
    case 'podsProxy':
      return ourWay('pods/proxy')
    case 'portForward':
      return kubectlWay()
    default:
      return who satisfies never
  }
}

function ourWay(carriers?: string): Promise<Way> {
  const env = { ...process.env, ...(carriers === undefined ? {} : { INTERCEPT_CARRIERS: carriers }) }
  return wayOf(
    spawn(process.execPath, [cli, 'forward', 'svc/bench', ':8080', '-n', namespace, '-o', 'json'], { env }),
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
