import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { freePorts } from '../../../cli/demo/cluster/network/free-port.ts'
import { Inspector } from '../support/inspector.ts'
import { scenario } from '../support/scenario.ts'
import { expectAsBefore } from '../support/snapshot.ts'
import { until } from '../support/until.ts'

const s = scenario()

/** Longer than anything in the way calls silence (6 s). */
const heldMs = 8_000

const program = `import http from 'node:http'
http.createServer((request, response) => {
  let answer = 'as it was'
  response.end(answer)
}).listen(process.env.PORT, '127.0.0.1')
`

test('a request that is held at a breakpoint is answered, with what the debugger made of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'debugged-'))
  const file = join(folder, 'program.mjs')
  await writeFile(file, program)
  const [inspect = 0, port = 0] = await freePorts('127.0.0.1', 2)
  const child = spawn(
    process.execPath,
    [
      ...['dist/cli.js', 'svc/orders', '-n', s.namespace, '-p', String(port), '--wait', '30s', '-o', 'json'],
      ...['--', process.execPath, `--inspect-brk=127.0.0.1:${inspect}`, file],
    ],
    { env: { ...process.env, KUBECONFIG: s.kubeconfig, PORT: String(port) }, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  try {
    const debug = await Inspector.attach(inspect)
    await debug.begin()
    await until('the intercept', async () => out.includes('"event":"active"'))
    await s.propagated('orders')
    await debug.breakAt(/program\.mjs$/, 3)
    const asked = await s.caller.start<{ body: string }>('get', { ...(await s.at('orders')), timeoutMs: 60_000 })
    await debug.evaluateAtBreakpoint("answer = 'as she wants it'")
    await delay(heldMs)
    await debug.send('Debugger.resume')
    expect((await asked.result()).body).toBe('as she wants it')
    debug.close()
  } finally {
    child.kill('SIGINT')
    await once(child, 'exit')
    await rm(folder, { recursive: true })
  }
  await expectAsBefore(s.kube, s.namespace, s.before)
})
