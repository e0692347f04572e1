import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { commands } from '../../cli/commands/index.ts'
import { ExitCode } from '../../cli/exit-codes.ts'
import { runCli } from '../../cli/yargs.ts'
import { plain } from './support/output.ts'

let out = ''
let err = ''

beforeEach(() => {
  out = ''
  err = ''
  vi.stubEnv('KUBECONFIG', '/nonexistent/kubeconfig')
  vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined)
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    out += String(chunk)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    err += String(chunk)
    return true
  })
  vi.spyOn(console, 'log').mockImplementation((text) => {
    out += `${text}\n`
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

const run = (line: string): Promise<number> => runCli(line.split(' ').filter((word) => word !== ''))

describe('help', () => {
  test.each(['', '--help', '-h'])('names every command: intercept %s', async (line) => {
    expect(await run(line)).toBe(ExitCode.Ok)
    for (const { usage } of commands) expect(out).toContain(`intercept ${usage.split(' ')[0]}`)
    expect(out).toContain('svc/NAME --port PORT')
    expect(err).toBe('')
  })

  test.each(commands.map(({ usage }) => usage.split(' ')[0] ?? ''))('of %s', async (name) => {
    const command = await commands.find(({ usage }) => usage.split(' ')[0] === name)?.load()
    expect(await run(`${name} --help`)).toBe(ExitCode.Ok)
    expect(out.replaceAll(/\s+/g, ' ')).toContain(command?.help)
    for (const option of Object.keys(command?.options ?? {})) expect(out).toContain(`--${option}`)
    expect(out).toContain('--namespace')
  })

  test.each(['svc/orders --help', 'svc/orders --port 8080 -h', '-n shop svc/orders --help'])('of %s', async (line) => {
    expect(await run(line)).toBe(ExitCode.Ok)
    for (const option of ['--port', '--on-local-down', '--ttl', '--wait']) expect(out).toContain(option)
  })

  test('what stands after -- is not ours', async () => {
    expect(await run('svc/orders -- npm run dev --help')).toBe(ExitCode.Usage)
    expect(err).toContain('--port is missing')
  })
})

describe('a wrong command line ends with 2 and says what to type', () => {
  test.each([
    ['svc/orders', '--port is missing', 'intercept svc/orders --port 8080'],
    ['svc/orders --port', 'port', 'intercept --help'],
    ['svc/orders --port 80x', '"80x" is not a port', '--port 8080:http'],
    ['svc/orders --port 8080 --hold soon', '"soon" is not a duration', '15m'],
    ['svc/orders --port 8080 --ttl', 'ttl', 'intercept --help'],
    ['svc/orders --port 8080 --on-local-down explode', 'explode', 'intercept --help'],
    ['svc/orders extra --port 8080', 'extra', 'intercept --help'],
    ['svc/orders --port 8080 --frobnicate', 'frobnicate', 'intercept --help'],
    ['pod/orders --port 8080', '"pod/orders"', 'svc/NAME'],
    ['list --nope', 'nope', 'intercept list --help'],
    ['list extra', 'extra', 'intercept list --help'],
    ['revoke', 'not enough', 'intercept revoke --help'],
    ['-o xml list', 'xml', 'intercept'],
    ['install --replicas two --dry-run -o yaml', 'replicas', 'intercept install'],
    ['install --timeout soon', '"soon" is not a duration', '15m'],
  ])('intercept %s', async (line, said, fix) => {
    expect(await run(line)).toBe(ExitCode.Usage)
    expect(out).toBe('')
    const [first, second, ...more] = plain(err).trimEnd().split('\n→').join('\n  →').split('\n  → ')
    expect(first?.toLowerCase()).toContain(said.toLowerCase())
    expect(second).toContain(fix)
    expect(more).toEqual([])
    expect(err).not.toContain('bug of intercept')
  })

  test.each(['-o json', '-ojson', '-o=json', '--output json', '--output=json'])('as JSON with %s', async (flag) => {
    expect(await run(`list ${flag} --nope`)).toBe(ExitCode.Usage)
    expect(JSON.parse(out)).toEqual({
      event: 'error',
      error: { code: 'usage', message: expect.stringContaining('nope'), fix: 'intercept list --help' },
    })
    expect(err).toBe('')
  })
})

describe('options before the command', () => {
  test.each([
    '-n shop list',
    '--namespace shop list',
    '--namespace=shop list',
    '-o text list',
    '--context prod -n shop list -A',
    '-n list list',
  ])('intercept %s runs list', async (line) => {
    // Without a cluster, whoever asks one says so; a command that does nothing would end with 0.
    expect(await run(line)).toBe(ExitCode.Usage)
    expect(err).toContain('There is no kubeconfig')
  })

  test.each(['-n shop svc/orders --port 8080', '-n list svc/orders --port 8080', '--port 8080 svc/orders'])(
    'intercept %s is about orders',
    async (line) => {
      expect(await run(line)).toBe(ExitCode.Usage)
      expect(err).toContain('There is no kubeconfig')
    },
  )
})

test('a kubeconfig that is not there: what failed, and two ways on', async () => {
  expect(await run('svc/orders --port 8080')).toBe(ExitCode.Usage)
  expect(plain(err)).toBe(
    '✖ There is no kubeconfig: /nonexistent/kubeconfig does not exist\n  → export KUBECONFIG=FILE, or try it without a cluster: npx intercept demo\n',
  )
})

test('version --client asks no cluster', async () => {
  expect(await run('version --client -o json')).toBe(ExitCode.Ok)
  expect(Object.keys(JSON.parse(out))).toEqual(['client'].filter(() => process.env.INTERCEPT_VERSION !== undefined))
})
