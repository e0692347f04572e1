import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { checkTwin } from '../../../cli/outbound/twin/why-no-twin.ts'
import type { Pod, Service } from '../../../src/kube/objects.ts'
import { pods, services } from '../../../src/kube/resources.ts'
import { connectionType } from '../../../src/resource/connection.ts'
import { database } from '../support/databases.ts'
import { type ProgramRun, runProgram } from '../support/run-program.ts'
import { scenario } from '../support/scenario.ts'
import { type Language, languages, missing } from './programs/languages.ts'
import { deployProgramPod, expected } from './programs/program-pod.ts'

const hasTwin = await checkTwin().then(
  () => true,
  () => false,
)
const s = scenario()
const folder = mkdtempSync(join(tmpdir(), 'intercept-programs-'))
const commands = new Map<string, string[]>()
let clusterIP: string
let podIP: string

beforeAll(async () => {
  for (const [index, { name, needs, build }] of languages.entries()) {
    if (missing(needs).length > 0) continue
    const own = join(folder, String(index))
    mkdirSync(own)
    commands.set(name, build(own))
  }
  await deployProgramPod(s.kube, s.namespace)
  clusterIP = (await s.kube.get<Service>(services, s.namespace, 'orders')).spec.clusterIP ?? ''
  podIP = (await s.kube.get<Pod>(pods, s.namespace, 'db-0')).status?.podIP ?? ''
}, 180_000)

afterAll(async () => {
  rmSync(folder, { recursive: true })
  expect(await s.kube.list(connectionType, { namespace: s.namespace })).toEqual([])
})

/** Runs a language's probe as a pod of `svc/app`; skips where the language is not there, which CI must not. */
async function probe(
  { name, needs }: Language,
  skip: TestContext['skip'],
  args: readonly string[],
  ...asks: string[]
): Promise<ProgramRun> {
  const command = commands.get(name)
  if (!command) {
    const why = `not in PATH: ${missing(needs).join(', ')}`
    if (process.env.CI) throw new Error(why)
    return skip(why)
  }
  return runProgram(
    ['run', 'svc/app', ...args, '-n', s.namespace, '--set', 'UNREACHABLE=203.0.113.1'],
    [...command, ...asks],
    { kubeconfig: s.cluster.driver.laptopKubeconfig ?? s.kubeconfig, prefix: s.cluster.driver.laptop },
  )
}

/** What every program finds, whatever it is written in. */
const common = {
  env: { greeting: expected.greeting, password: database.password },
  file: expected.file,
  http: expect.stringMatching(/^orders-/),
  sql: '42',
  cache: '+OK $4 kept',
}
const namesIn = ({ words }: Language) => ({
  short: clusterIP,
  namespaced: clusterIP,
  full: clusterIP,
  headless: podIP,
  pod: podIP,
  alias: clusterIP,
  six: expect.stringMatching(words.six),
  none: expect.stringMatching(words.none),
})
const srv = () => `5432 db-0.db.${s.namespace}.svc.cluster.local`

describe.skipIf(!hasTwin)('in a twin', () => {
  test.for(languages)(
    '$name: environment, file, names, databases, datagrams, its own errors',
    async (language, { skip }) => {
      const { said, code, stderr } = await probe(language, skip, [])
      expect(said).toEqual({
        ...common,
        names: namesIn(language),
        srv: srv(),
        udp: expect.stringMatching(/^orders-.*: hello$/),
        refused: expect.stringMatching(language.words.refused),
        unreachable: expect.stringMatching(language.words.unreachable),
      })
      expect(code, stderr).toBe(0)
    },
  )
})

describe('--portable', () => {
  test.for(languages)(
    '$name: environment, file, databases by rewritten addresses, HTTP by its proxies',
    async (language, { skip }) => {
      const { said, code, stderr } = await probe(language, skip, ['--portable'], 'env', 'file', 'http', 'sql', 'cache')
      expect(said).toEqual(common)
      expect(code, stderr).toBe(0)
      for (const line of ['DB_HOST', 'CACHE_HOST']) expect(stderr).toContain(line)
    },
  )

  test('Node has the names, too, and the errors of its connections', async ({ skip }) => {
    const [node] = languages
    if (!node) throw new Error('no Node')
    const { said } = await probe(node, skip, ['--portable'], 'names', 'srv', 'refused', 'unreachable')
    expect(said).toEqual({
      names: namesIn(node),
      srv: srv(),
      refused: expect.stringMatching(node.words.refused),
      unreachable: expect.stringMatching(node.words.unreachable),
    })
  })
})
