import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkTwin } from '../../../cli/outbound/twin/why-no-twin.ts'
import type { Pod } from '../../../src/kube/objects.ts'
import { pods } from '../../../src/kube/resources.ts'
import { connectionType } from '../../../src/resource/connection.ts'
import { isReady } from '../support/proxy-pods.ts'
import { type ProgramRun, runProgram } from '../support/run-program.ts'
import { scenario } from '../support/scenario.ts'
import { until } from '../support/until.ts'
import { missing } from './programs/languages.ts'
import { deployProgramPod } from './programs/program-pod.ts'

const hasTwin = await checkTwin().then(
  () => true,
  () => false,
)
const s = scenario()
const programs = join(import.meta.dirname, 'programs')
let folder: string

beforeAll(() => deployProgramPod(s.kube, s.namespace), 120_000)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intercept-programs-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
afterAll(async () => {
  expect(await s.kube.list(connectionType, { namespace: s.namespace })).toEqual([])
})

const run = (args: readonly string[], ...command: string[]): Promise<ProgramRun> =>
  runProgram(['run', 'svc/app', ...args, '-n', s.namespace], command, {
    kubeconfig: s.cluster.driver.laptopKubeconfig ?? s.kubeconfig,
    prefix: s.cluster.driver.laptop,
  })
const node = (file: string, ...args: string[]): Promise<ProgramRun> => run(args, process.execPath, join(programs, file))

/** Waits until a program has made its marker, or has ended. */
const marked = (marker: string, running: Promise<unknown>): Promise<unknown> =>
  Promise.race([running, until('the marker of the program', async () => existsSync(marker))])

const kinds = [...(hasTwin ? [['twin', []] as const] : []), ['portable', ['--portable']] as const]

describe.each(kinds)('%s', (_kind, options) => {
  test.for(['the link is down for 3 s', 'the laptop gets another address'])(
    '%s during a query: its answer arrives',
    async (fault, { skip }) => {
      const { link } = s.cluster.driver
      if (!link) return skip('there is no link to cut')
      const marker = join(folder, 'asked')
      const running = node('slow-query.mjs', ...options, '--set', `MARKER=${marker}`, '--set', 'SECONDS=5')
      await marked(marker, running)
      if (fault.startsWith('the link')) {
        await link.set('--down')
        try {
          await wait(3_000)
        } finally {
          await link.set('--up')
        }
      } else {
        // Its carriers are dead, and nobody says so.
        await link.set('--readdress')
      }
      const { said, code, stderr } = await running
      expect(said, stderr).toMatchObject({ answer: 'slept' })
      expect(said.ms).toBeLessThan(60_000)
      console.log(`${fault}: the answer after ${said.ms} ms`)
      expect(code, stderr).toBe(0)
    },
  )

  test("the database's pod is replaced: the program connects anew", async () => {
    const marker = join(folder, 'asked')
    const running = node('reconnecting.mjs', ...options, '--set', `MARKER=${marker}`)
    await marked(marker, running)
    const before = await s.kube.get<Pod>(pods, s.namespace, 'db-0')
    await s.kube.delete(pods, s.namespace, 'db-0', { gracePeriodSeconds: 0 })
    await until('its successor', async () => {
      const now = await s.kube.find<Pod>(pods, s.namespace, 'db-0')
      return now !== undefined && now.metadata.uid !== before.metadata.uid && isReady(now)
    })
    const { said, code, stderr } = await running
    expect(said).toEqual({ changed: true, failures: expect.any(Array) })
    expect(code, stderr).toBe(0)
  })
})

describe.skipIf(!hasTwin)('in a twin', () => {
  test('1,000 connections of a static Go program are open at once, as the server counts them', async ({ skip }) => {
    if (missing(['go']).length > 0) {
      if (process.env.CI) throw new Error('not in PATH: go')
      return skip('not in PATH: go')
    }
    const file = join(folder, 'probe')
    execFileSync('go', ['build', '-o', file, join(programs, 'probe.go')], { env: { ...process.env, CGO_ENABLED: '0' } })
    const began = Date.now()
    const { said, stderr } = await run([], file, 'many', '1000')
    expect(said, stderr).toEqual({ wrong: {}, counted: expect.any(Number) })
    expect(said.counted).toBeGreaterThanOrEqual(1000)
    console.log(`1,000 connections at once: ${Date.now() - began} ms with the start of the twin`)
  })

  test('two runs side by side have their own environment, files and connections', async () => {
    const asks = ['env', 'file', 'names', 'http', 'sql', 'cache', 'udp', 'refused']
    const greetings = ['hello to one', 'hello to two']
    const runs = await Promise.all(
      greetings.map((greeting) =>
        run(['--set', `GREETING=${greeting}`], process.execPath, join(programs, 'probe.mjs'), ...asks),
      ),
    )
    expect(runs.map(({ said }) => (said.env as { greeting: string }).greeting)).toEqual(greetings)
    for (const { said } of runs) {
      expect(said).toMatchObject({ file: '{"one":1}', sql: '42', cache: '+OK $4 kept', refused: 'ECONNREFUSED' })
      expect(said.http).toMatch(/^orders-/)
      expect(said.udp).toMatch(/^orders-.*: hello$/)
    }
  })
})
