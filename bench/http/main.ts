/**
 * `npm run bench:http [-- --json | --quick | --profile]`
 * client -> proxy -> origin over keep-alive connections, every name a process of its own: the proxy pod's data plane
 * with an Intercept that matches nothing (what everybody else pays), beside httpxy and http-proxy. Runs alternate; each
 * figure is the median, `ratio` is ours by the better rival's.
 */
import { median, rounded } from '../support/figures.ts'
import { Processes } from '../support/processes.ts'
import { findLoadClient } from '../support/requests.ts'

type Contender = 'ours' | 'httpxy' | 'httpProxy'

const flags = new Set(process.argv.slice(2))
const rounds = flags.has('--quick') ? 1 : 3
const seconds = flags.has('--quick') ? 2 : 4
const connections = 32
const contenders: readonly Contender[] = ['ours', 'httpxy', 'httpProxy']

const processes = await Processes.prepare(
  {
    origin: new URL('../support/local-process.ts', import.meta.url),
    'load-client': new URL('../support/load-client.ts', import.meta.url),
    ours: new URL('ours.ts', import.meta.url),
    httpxy: new URL('httpxy.ts', import.meta.url),
    httpProxy: new URL('http-proxy.ts', import.meta.url),
  },
  { profile: flags.has('--profile'), collect: false },
)
try {
  const client = await findLoadClient(processes.path('load-client'))
  const [originPort = 0] = (await processes.start('origin', [])).ports
  const ports = new Map<Contender, number>()
  for (const who of contenders) ports.set(who, (await processes.start(who, [originPort])).ports[0] ?? 0)
  const run = (who: Contender, time: number) => client.requests(ports.get(who) ?? 0, connections, time)
  const rps: Record<Contender, number[]> = { ours: [], httpxy: [], httpProxy: [] }
  const p50: Record<Contender, number[]> = { ours: [], httpxy: [], httpProxy: [] }
  for (const who of contenders) await run(who, 1)
  for (let round = 0; round < rounds; round += 1) {
    // Each is first, second and last once.
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const who = contenders[(round + turn) % contenders.length] ?? 'ours'
      const figures = await run(who, seconds)
      rps[who].push(figures.rps)
      p50[who].push(figures.p50)
    }
  }
  const result = { rps: compared(rps, Math.max), p50: compared(p50, Math.min) }
  if (flags.has('--json')) console.log(JSON.stringify(result))
  else {
    console.log(`load: ${client.name}, ${connections} connections; ${rounds} alternating runs, median`)
    console.log('req/s ', result.rps, '>= 1.2')
    console.log('p50 ms', result.p50, '< 1')
  }
} finally {
  await processes.stop()
}

function compared(figures: Record<Contender, number[]>, better: (...values: number[]) => number) {
  const [ours, httpxy, httpProxy] = [median(figures.ours), median(figures.httpxy), median(figures.httpProxy)]
  return {
    ours: rounded(ours),
    httpxy: rounded(httpxy),
    httpProxy: rounded(httpProxy),
    ratio: rounded(ours / better(httpxy, httpProxy)),
  }
}
