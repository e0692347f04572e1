/**
 * `npm run bench:tunnel [-- --json | --leak | --quick | --profile]`
 * cluster listener -> tunnel -> laptop -> local process, beside listener -> relay -> relay -> local process. Every arrow
 * is a TCP connection on loopback, every name a process of its own. Runs alternate; each figure is the median.
 */
import { median, rounded } from '../support/figures.ts'
import { Processes } from '../support/processes.ts'
import { findLoadClient } from '../support/requests.ts'
import { throughput } from '../support/throughput.ts'
import { measureLeak } from './leak.ts'

type Figure = 'rps32' | 'rps1' | 'p50c1' | 'up' | 'down'
type Contender = 'ours' | 'relays'

const flags = new Set(process.argv.slice(2))
const rounds = flags.has('--quick') ? 1 : 3
const seconds = flags.has('--quick') ? 2 : 3

const roles = {
  'local-process': new URL('../support/local-process.ts', import.meta.url),
  'load-client': new URL('../support/load-client.ts', import.meta.url),
  relay: new URL('relay.ts', import.meta.url),
  cluster: new URL('cluster.ts', import.meta.url),
  laptop: new URL('laptop.ts', import.meta.url),
}
const processes = await Processes.prepare(roles, { profile: flags.has('--profile'), collect: flags.has('--leak') })
try {
  const local = await processes.start('local-process', [])
  const localPort = local.ports[0] ?? 0
  const cluster = await processes.start('cluster', [], 2)
  const [gatewayPort = 0, clusterPort = 0] = cluster.ports
  const laptop = await processes.start('laptop', [gatewayPort, localPort])
  if (flags.has('--leak')) await measureLeak(clusterPort, { cluster, laptop }, flags.has('--json'))
  else {
    const inner = await processes.start('relay', [localPort])
    const outer = await processes.start('relay', [inner.ports[0] ?? 0])
    await compare({ ours: clusterPort, relays: outer.ports[0] ?? 0 })
  }
} finally {
  await processes.stop()
}

async function compare(ports: Record<Contender, number>): Promise<void> {
  const client = await findLoadClient(processes.path('load-client'))
  const runs: Record<Figure, Record<Contender, number[]>> = {
    rps32: { ours: [], relays: [] },
    rps1: { ours: [], relays: [] },
    p50c1: { ours: [], relays: [] },
    up: { ours: [], relays: [] },
    down: { ours: [], relays: [] },
  }
  const p99: Record<Contender, number[]> = { ours: [], relays: [] }
  const measure = async (who: Contender) => {
    const port = ports[who]
    const many = await client.requests(port, 32, seconds)
    const one = await client.requests(port, 1, seconds)
    runs.rps32[who].push(many.rps)
    p99[who].push(many.p99)
    runs.rps1[who].push(one.rps)
    runs.p50c1[who].push(one.p50)
    runs.down[who].push(await throughput(port, 'down', seconds - 1))
    runs.up[who].push(await throughput(port, 'up', seconds - 1))
  }
  for (const who of ['ours', 'relays'] as const) await client.requests(ports[who], 32, 1)
  for (let round = 0; round < rounds; round += 1) {
    for (const who of round % 2 === 0 ? (['ours', 'relays'] as const) : (['relays', 'ours'] as const))
      await measure(who)
  }
  const figures = Object.fromEntries(
    Object.entries(runs).map(([name, { ours, relays }]) => {
      const [a, b] = [median(ours), median(relays)]
      return [name, { ours: rounded(a), relays: rounded(b), ratio: rounded(a / b) }]
    }),
  ) as Record<Figure, { ours: number; relays: number; ratio: number }>
  if (flags.has('--json')) console.log(JSON.stringify(figures))
  else print(client.name, figures, p99)
}

function print(
  client: string,
  figures: Record<Figure, { ours: number; relays: number; ratio: number }>,
  p99: Record<Contender, number[]>,
): void {
  const units: Record<Figure, string> = { rps32: 'req/s', rps1: 'req/s', p50c1: 'ms', up: 'MB/s', down: 'MB/s' }
  const targets: Record<Figure, string> = { rps32: '>= 1.2', rps1: '', p50c1: '<= 1.15', up: '>= 0.8', down: '>= 0.8' }
  console.log(`load: ${client}; ${rounds} alternating runs, median`)
  for (const [name, { ours, relays, ratio }] of Object.entries(figures) as [Figure, (typeof figures)[Figure]][]) {
    const cells = [name.padEnd(6), `tunnel ${ours}`.padEnd(20), `relays ${relays}`.padEnd(20), units[name].padEnd(6)]
    console.log(...cells, `ratio ${ratio.toFixed(2)} ${targets[name]}`)
  }
  console.log(`p99 at 32 connections: tunnel ${median(p99.ours)} ms, relays ${median(p99.relays)} ms`)
}
