import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { checkTwin } from '../../cli/outbound/twin/why-no-twin.ts'
import { connectionType } from '../../src/resource/connection.ts'
import { RUN_VARIABLE } from './support/cli.ts'
import { leftovers } from './support/leftovers.ts'
import { scenario } from './support/scenario.ts'
import { until } from './support/until.ts'

const hasTwin = await checkTwin().then(
  () => true,
  () => false,
)
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0
const s = scenario({ orders: {} })

/** `intercept run svc/orders -- sh -c PROGRAM` in a terminal of its own. */
class InTerminal {
  static readonly #open = new Set<InTerminal>()
  readonly id = randomUUID()
  readonly child: ChildProcess
  screen = ''

  constructor(program: string, ...options: string[]) {
    const args = ['run', 'svc/orders', '-n', s.namespace, ...options, '--', 'sh', '-c', '"$PROGRAM"']
    const line = ['exec', process.execPath, 'dist/cli.js', ...args]
    this.child = spawn('script', ['-qec', line.join(' '), '/dev/null'], {
      env: { ...process.env, KUBECONFIG: s.kubeconfig, PROGRAM: program, [RUN_VARIABLE]: this.id },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    InTerminal.#open.add(this)
    this.child.once('exit', () => InTerminal.#open.delete(this))
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.screen += text
    })
  }

  /** Those that a test that failed has left. */
  static closeAll(): void {
    for (const one of InTerminal.#open) one.child.kill('SIGKILL')
  }

  type(text: string): void {
    this.child.stdin?.write(text)
  }

  shows(text: string): Promise<unknown> {
    return until(`${text} on the screen`, () => this.screen.includes(text), 20_000).catch((cause) => {
      throw new Error(`on the screen instead:\n${this.screen}`, { cause })
    })
  }

  /** @returns the exit code. Nothing may be left. */
  async ended(): Promise<number> {
    if (this.child.exitCode === null) await once(this.child, 'exit')
    expect(leftovers(this.id)).toEqual([])
    return this.child.exitCode ?? -1
  }
}

afterEach(() => InTerminal.closeAll())

describe.skipIf(!hasScript).each([...(hasTwin ? ['twin'] : []), 'portable'])('a terminal, %s', (kind) => {
  const options = kind === 'portable' ? ['--portable'] : []

  test("is the program's, as is its exit code", async () => {
    const run = new InTerminal('[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && stty size && exit 7', ...options)
    expect(await run.ended()).toBe(7)
    expect(run.screen).toMatch(/runs as in orders-/)
  })

  test('Ctrl-C is for the program to understand', async () => {
    const run = new InTerminal("trap 'echo caught' INT; echo ready; while ! read line; do :; done; exit 3", ...options)
    await run.shows('ready')
    run.type('\x03')
    await run.shows('caught')
    run.type('\n')
    expect(await run.ended()).toBe(3)
  })

  test('a shell in it has jobs: Ctrl-Z, fg, Ctrl-C', async () => {
    const run = new InTerminal('exec bash --norc', ...options)
    await run.shows('bash-')
    run.type('sleep 1000\n')
    await run.shows('sleep 1000')
    await until('sleep', () => processNamed(run.id, 'sleep'), 10_000)
    run.type('\x1a')
    await run.shows('Stopped')
    await until('it is stopped', () => processNamed(run.id, 'sleep')?.state === 'T', 10_000)
    run.type('fg\n')
    // What is typed before belongs to the shell, and Ctrl-C there throws it away.
    await until('it goes on', () => processNamed(run.id, 'sleep')?.state === 'S', 10_000)
    run.type('\x03')
    run.type('echo code $?\n')
    await run.shows('code 130')
    run.type('exit 4\n')
    expect(await run.ended()).toBe(4)
  })

  test('when it is closed, everything ends', async () => {
    const run = new InTerminal('exec sleep 1000', ...options)
    await run.shows('runs as in')
    await until('sleep', () => processNamed(run.id, 'sleep'), 10_000)
    run.child.kill('SIGKILL')
    await until('nothing is left', () => leftovers(run.id).length === 0, 15_000)
    await until('its Connection is gone', async () => {
      return (await s.kube.list(connectionType, { namespace: s.namespace })).length === 0
    })
  })
})

test.skipIf(!hasTwin)(
  'the keeper of the namespaces is killed: the command ends with it, and that is said',
  async () => {
    const script = "process.kill(process.ppid, 'SIGKILL'); setInterval(() => {}, 1000)"
    const run = s.cliHere('run', 'svc/orders', '--', process.execPath, '-e', script)
    expect((await run.ended).code).toBe(1)
    expect(run.output).toMatch(/"code":"twin-ended".*SIGKILL/)
    expect(leftovers(run.id)).toEqual([])
  },
)

/** A process of that name that runs for the command. `state` is a letter, as in proc(5). */
function processNamed(id: string, name: string): { readonly state: string } | undefined {
  for (const line of leftovers(id)) {
    const [kind, pid] = line.split(' ')
    if (kind !== 'process') continue
    const [, command, state = ''] = /^\d+ \((.*)\) (\S)/.exec(statOf(pid)) ?? []
    if (command === name) return { state }
  }
  return undefined
}

function statOf(pid = ''): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    // It has ended since.
    return ''
  }
}
