import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { whyNotStarted } from '../../../../../cli/outbound/twin/keeper/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'intercept-program-test-'))
beforeAll(() => {
  symlinkSync('loop', join(folder, 'loop'))
  writeFileSync(join(folder, 'plain'), '')
})
afterAll(() => rmSync(folder, { recursive: true }))

const why = (file: string, path: string): string | undefined =>
  whyNotStarted({ command: [file], env: { PATH: path }, cwd: '/', user: undefined })

test('a command is found behind folders of PATH that cannot be looked into', () => {
  expect(why('sh', `${join(folder, 'loop')}:${join(folder, 'plain')}:${folder}:/bin`)).toBeUndefined()
})

test('what is wrong is said as a shell does', () => {
  expect(why('no-such-program', `${join(folder, 'loop')}:/bin`)).toBe(
    'no-such-program could not be started: command not found',
  )
  expect(why('plain', folder)).toBe(`${join(folder, 'plain')} could not be started: permission denied`)
})
