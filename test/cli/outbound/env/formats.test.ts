import { execFileSync } from 'node:child_process'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EnvironmentFormat, writeEnvironment } from '../../../../cli/outbound/env/formats.ts'

/** What the dotenv package of npm documents: quotes are stripped, `\n` counts within double ones, nothing is unescaped. */
function parseDotenv(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  let at = 0
  while (at < text.length) {
    const equals = text.indexOf('=', at)
    const name = text.slice(at, equals)
    const quote = text[equals + 1] ?? ''
    if (`'"\``.includes(quote) && quote !== '') {
      // Its pattern takes a backslash before the quote for part of the value, where another quote follows.
      let end = equals + 2
      while (text[end] !== quote) end += text[end] === '\\' && text[end + 1] === quote ? 2 : 1
      const inner = text.slice(equals + 2, end)
      found[name] = quote === '"' ? inner.replaceAll('\\n', '\n').replaceAll('\\r', '\r') : inner
      at = end + 2
    } else {
      const end = text.indexOf('\n', equals)
      found[name] = text.slice(equals + 1, end).trim()
      at = end + 1
    }
  }
  return found
}

/** `docker run --env-file`: lines, comments, the first `=`; the value as it is. */
function parseDocker(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  return Object.fromEntries(
    lines
      .filter((line) => line.trimStart() !== '' && !line.trimStart().startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

function written(values: Record<string, string>, format: EnvironmentFormat): { text: string; left: string[] } {
  const { text, left } = writeEnvironment(new Map(Object.entries(values)), format)
  return { text, left: left.map(({ name }) => name) }
}

function without(values: Record<string, string>, left: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !left.includes(name)))
}

const hard = {
  PLAIN: 'a',
  EMPTY: '',
  SPACES: '  two  ',
  HASH: 'a # b',
  DOLLAR: '$HOME $(ls) `ls`',
  SINGLE: "it's",
  DOUBLE: 'say "hi"',
  BOTH: `it's "hi"`,
  THREE: `'"\``,
  LINES: 'one\ntwo\n',
  PEM: '-----BEGIN X-----\nabc+/=\n-----END X-----\n',
  ESCAPED: 'a\\nb',
  BACKSLASH: 'C:\\dir\\',
  RETURN: 'a\r\nb',
  UNICODE: 'ünï ☃ 🚀',
  JSON: '{"a":"it\'s","b":[1]}',
  EQUALS: '=a=b',
  SINGLE_END: "it's \\",
}

const value = fc.oneof(
  fc.string({ unit: fc.constantFrom(...`ab '"\`\\$#\nn=(){}ü🚀`) }),
  fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
)
const environment = fc
  .dictionary(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,6}$/), value, { maxKeys: 6 })
  .map((values) => ({ ...values }))

describe('dotenv', () => {
  test('what cannot be written is left out', () => {
    const { text, left } = written(hard, 'dotenv')
    expect(left).toEqual(['THREE', 'RETURN', 'SINGLE_END'])
    expect(parseEnv(text)).toEqual(without(hard, left))
    expect(parseDotenv(text)).toEqual(without(hard, left))
  })

  test('readers get what was written', () => {
    fc.assert(
      fc.property(environment, (values) => {
        const { text, left } = written(values, 'dotenv')
        expect(parseEnv(text)).toEqual(without(values, left))
        expect(parseDotenv(text)).toEqual(without(values, left))
      }),
      { numRuns: 500 },
    )
  })

  test('names that no reader takes are left out', () => {
    expect(written({ 'with.dot': '1', '1st': '2', 'a b': '3' }, 'dotenv')).toEqual({
      text: 'with.dot=1\n',
      left: ['1st', 'a b'],
    })
  })
})

describe('shell', () => {
  test('a real shell gets what was written', () => {
    const print = `${JSON.stringify(process.execPath)} -e "process.stdout.write(JSON.stringify(process.env))"`
    const read = (values: Record<string, string>) => {
      const { text, left } = written(values, 'shell')
      expect(left).toEqual([])
      const out = execFileSync('sh', ['-c', `${text}\n${print}`], { env: {}, encoding: 'utf8' })
      return JSON.parse(out) as Record<string, string>
    }
    expect(read(hard)).toMatchObject(hard)
    for (const values of fc.sample(environment, 15)) {
      const { PATH: _p, PWD: _w, SHLVL: _s, OLDPWD: _o, _: _u, ...rest } = values
      expect(read(rest)).toMatchObject(rest)
    }
  })

  test('names that are none of a shell are left out', () => {
    expect(written({ 'with.dot': '1', A: 'x' }, 'shell')).toEqual({ text: "export A='x'\n", left: ['with.dot'] })
  })
})

test('docker: everything but newlines', () => {
  const { text, left } = written({ ...hard, LONG: 'x'.repeat(70_000), 'a b': '1', '#a': '1' }, 'docker')
  expect(left).toEqual(['LINES', 'PEM', 'RETURN', 'LONG', 'a b', '#a'])
  expect(parseDocker(text)).toEqual(without(hard, left))
})

test('json: everything', () => {
  expect(JSON.parse(written(hard, 'json').text)).toEqual(hard)
})
