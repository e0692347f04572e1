import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePorts } from '../../../cli/demo/cluster/network/free-port.ts'
import type { Pod } from '../../../src/kube/objects.ts'
import type { CliRun } from '../support/cli.ts'
import { Inspector } from '../support/inspector.ts'
import { scenario } from '../support/scenario.ts'
import { expectAsBefore } from '../support/snapshot.ts'
import { until } from '../support/until.ts'
import { appPorts, podsOf } from '../support/workload.ts'

const s = scenario({
  orders: {},
  beside: {},
  filtered: {},
  grpc: { ports: [{ name: 'grpc', port: appPorts.grpc, targetPort: 'grpc', protocol: 'TCP' }] },
})

/** Longer than 5 minutes, at which several defaults of Node and of proxies end what is silent. */
const heldMs = 6 * 60_000

/** Answers as HTTP/1.1 or as gRPC, of which a server in Node's http2 speaks as much as one call needs. */
const program = `import http from 'node:http'
import http2 from 'node:http2'
function answerOf(answer) {
  return answer
}
const [, , protocol, port] = process.argv
const server = protocol === 'http' ? http.createServer((request, response) => response.end(answerOf('as it was'))) : http2.createServer()
if (protocol === 'grpc') server.on('stream', (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.resume().on('end', () => {
    const text = Buffer.from(answerOf('as it was'))
    const message = Buffer.alloc(5 + text.length)
    message.writeUInt32BE(text.length, 1)
    text.copy(message, 5)
    stream.end(message)
  })
})
server.listen(port, '127.0.0.1')
`
const answerLine = 3
const ofAda = { 'x-intercept': 'ada' }

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'held-'))
  await writeFile(join(folder, 'program.mjs'), program)
})
afterAll(() => rm(folder, { recursive: true }))

/** An intercept by a program with a debugger, which is attached to it. */
async function debugged(
  service: string,
  protocol: string,
  ...more: string[]
): Promise<{ run: CliRun; debug: Inspector }> {
  const [inspect = 0, port = 0] = await freePorts('127.0.0.1', 2)
  const run = s.cliHere(
    ...[`svc/${service}`, '-p', String(port), '--wait', '60s', ...more, '--'],
    ...[process.execPath, `--inspect-brk=127.0.0.1:${inspect}`, join(folder, 'program.mjs'), protocol, String(port)],
  )
  const debug = await Inspector.attach(inspect)
  await debug.begin()
  await run.until('active')
  return { run, debug }
}

/** What tells that no probe of a pod has failed. */
const health = (all: readonly Pod[]): object[] =>
  all.map(({ metadata, status }) => ({
    name: metadata.name,
    restarts: status?.containerStatuses?.map(({ restartCount }) => restartCount),
    conditions: status?.conditions,
  }))

test('requests that are held at a breakpoint for six minutes are answered, and nobody else is held', {
  timeout: heldMs + 120_000,
}, async () => {
  const local = s.cli('svc/beside', '-p', String(s.local.ports.http))
  const [whole, filtered, grpc] = await Promise.all([
    debugged('orders', 'http'),
    debugged('filtered', 'http', '--as', 'ada'),
    debugged('grpc', 'grpc', '--as', 'ada'),
    local.until('active'),
  ])
  const held = [whole, filtered, grpc]
  const at = (service: string, port?: number) => s.at(service, port)
  for (const service of ['orders', 'filtered', 'beside']) await s.propagated(service)
  const call = { ...(await at('grpc', appPorts.grpc)), request: 'hello', metadata: ofAda }
  let inRow = 0
  await until('gRPC calls answered by the program', async () => {
    inRow = (await s.caller.call('grpcUnary', call)) === 'as it was' ? inRow + 1 : 0
    return inRow >= 8
  })
  await Promise.all(held.map(({ debug }) => debug.breakAt(/program\.mjs$/, answerLine)))
  const before = health(await podsOf(s.kube, s.namespace, 'orders'))
  const answers = await Promise.all([
    s.caller.start<{ body: string }>('get', { ...(await at('orders')), timeoutMs: 0 }),
    s.caller.start<{ body: string }>('get', { ...(await at('filtered')), headers: ofAda, timeoutMs: 0 }),
    s.caller.start<string>('grpcUnary', call),
  ])
  await Promise.all(held.map(({ debug }) => debug.evaluateAtBreakpoint("answer = 'as she wants it'")))
  const others = await Promise.all([
    s.caller.load({ ...(await at('filtered')), everyMs: 250 }),
    s.caller.load({ ...(await at('beside')), everyMs: 250 }),
    s.caller.load({ ...(await at('grpc', appPorts.grpc)), everyMs: 250, http2: true }),
  ])
  await delay(heldMs)
  const loads = await Promise.all(others.map((load) => load.stop()))
  await Promise.all(held.map(({ debug }) => debug.send('Debugger.resume')))
  const [ofWhole, ofFiltered, ofGrpc] = await Promise.all(answers.map((answer) => answer.result()))
  expect(ofWhole).toMatchObject({ status: 200, body: 'as she wants it' })
  expect(ofFiltered).toMatchObject({ status: 200, body: 'as she wants it' })
  expect(ofGrpc).toBe('as she wants it')
  for (const load of loads) {
    expect(load).toMatchObject({ failed: 0, errors: {} })
    expect(load.ok).toBeGreaterThan(heldMs / 250 / 2)
  }
  expect(Object.keys(loads[1]?.by ?? {})).toEqual(['laptop'])
  for (const load of [loads[0], loads[2]]) {
    for (const who of Object.keys(load?.by ?? {})) expect(who).toMatch(/^orders-/)
  }
  expect(health(await podsOf(s.kube, s.namespace, 'orders'))).toEqual(before)
  for (const { run, debug } of held) {
    debug.close()
    // No tunnel was lost meanwhile.
    expect(run.events.filter(({ event, state }) => event === 'tunnel' && state !== 'up')).toEqual([])
  }
  expect(await Promise.all([...held.map(({ run }) => run), local].map((run) => run.interrupt()))).toEqual([0, 0, 0, 0])
  await expectAsBefore(s.kube, s.namespace, s.before)
})
