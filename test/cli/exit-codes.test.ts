import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ExitCode, exitCodeOf } from '../../cli/exit-codes.ts'
import { InterceptError } from '../../src/errors.ts'
import { KubeError } from '../../src/kube/error.ts'
import { TunnelError } from '../../src/tunnel/index.ts'

describe('what the process ends with', () => {
  test.each([
    [new InterceptError('usage', ''), ExitCode.Usage],
    [new InterceptError('not-installed', ''), ExitCode.NotInstalled],
    [new KubeError('forbidden', ''), ExitCode.Forbidden],
    [new KubeError('credentials-expired', ''), ExitCode.Forbidden],
    [new TunnelError('gateway-forbidden', ''), ExitCode.Forbidden],
    [new InterceptError('already-intercepted', ''), ExitCode.Conflict],
    [new KubeError('api-unreachable', ''), ExitCode.Unreachable],
    [new InterceptError('revoked', ''), ExitCode.Revoked],
    [new InterceptError('service-not-found', ''), ExitCode.NotPossible],
    [new InterceptError('some-new-code', ''), ExitCode.Failure],
    [new Error('a bug'), ExitCode.Failure],
    [Object.assign(new Error('of the system'), { code: 'ECONNREFUSED' }), ExitCode.Failure],
    [Object.assign(new Error('of Object'), { code: 'constructor' }), ExitCode.Failure],
    ['a string', ExitCode.Failure],
    [undefined, ExitCode.Failure],
  ])('%s', (error, code) => {
    expect(exitCodeOf(error)).toBe(code)
  })
})

test('every code of the table is one that somebody throws', () => {
  const table = readFileSync('cli/exit-codes.ts', 'utf8')
  const codes = [...table.matchAll(/^ {2}'?([a-z-]+)'?: ExitCode\./gm)].map(([, code]) => code ?? '')
  expect(codes.length).toBeGreaterThan(20)
  const sources = ['cli', 'src']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && file !== 'exit-codes.ts')
        .map((file) => readFileSync(join(folder, file), 'utf8')),
    )
    .join('\n')
  expect(codes.filter((code) => !sources.includes(`'${code}'`))).toEqual([])
})
