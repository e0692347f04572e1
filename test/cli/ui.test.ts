import { describe, expect, test } from 'vitest'
import { table, Ui } from '../../cli/ui/ui.ts'
import { InterceptError } from '../../src/errors.ts'
import { Output, plain } from './support/output.ts'

function ui(format: 'text' | 'json' | 'yaml', terminal?: { columns: number }) {
  const [out, err] = [new Output(terminal), new Output()]
  return { ui: new Ui(format, out, err), out, err }
}

const error = new InterceptError('no-such-port', 'Service orders has no TCP port 81', { fix: '--port 8080:80' })

describe('for people', () => {
  test('a result is on stdout, and nothing else is', () => {
    const { ui: shown, out, err } = ui('text')
    shown.result({ a: 1 }, () => 'one')
    expect(out.text).toBe('one\n')
    expect(err.text).toBe('')
  })

  test('an error says what failed, and the fix below it, on stderr', () => {
    const { ui: shown, out, err } = ui('text')
    shown.error(error)
    expect(plain(err.text)).toBe('✖ Service orders has no TCP port 81\n  → --port 8080:80\n')
    expect(out.text).toBe('')
  })

  test('a warning aside of a line at the bottom has a line of its own', () => {
    const { ui: shown, out, err } = ui('text', { columns: 80 })
    shown.live.set(() => 'waiting')
    const before = out.text.length
    shown.warnAside('missing', 'A is missing')
    const erase = '\r\x1b[2K'
    const [nothing, erased, drawn] = out.text.slice(before).split(erase)
    expect([nothing, erased]).toEqual(['', ''])
    expect(drawn).toMatch(/waiting$/)
    shown.live.clear()
    expect(plain(err.text)).toBe('! A is missing\n')
  })

  test('a bug is shown with what one needs to report it', () => {
    const { ui: shown, err } = ui('text')
    shown.error(new TypeError('x is not a function'))
    expect(err.text).toMatch(/x is not a function\n[\s\S]*ui\.test\.ts[\s\S]*bug of intercept/)
  })

  test('what is no error at all is still shown', () => {
    const { ui: shown, err } = ui('text')
    shown.error('just a string')
    expect(plain(err.text)).toBe('✖ just a string\n')
  })

  test('a warning has its fix', () => {
    const { ui: shown, out } = ui('text')
    shown.warn('local-down', 'nothing answers', 'start it')
    expect(plain(out.text)).toBe('! nothing answers\n  → start it\n')
  })

  test('an event without a text is for programs only', () => {
    const { ui: shown, out } = ui('text')
    shown.event({ event: 'created' })
    expect(out.text).toBe('')
  })
})

describe('for programs', () => {
  test('each event is one line, with its time', () => {
    const { ui: shown, out, err } = ui('json')
    shown.event({ event: 'active', service: 'orders' }, 'for people')
    shown.warn('local-down', 'two\nlines', 'start it')
    shown.error(error)
    expect(out.json).toEqual([
      { time: expect.stringMatching(/^\d{4}-.*Z$/), event: 'active', service: 'orders' },
      { time: expect.any(String), event: 'warning', code: 'local-down', message: 'two\nlines', fix: 'start it' },
      {
        event: 'error',
        error: { code: 'no-such-port', message: 'Service orders has no TCP port 81', fix: '--port 8080:80' },
      },
    ])
    expect(err.text).toBe('')
  })

  test('a result is one JSON value', () => {
    const { ui: shown, out } = ui('json')
    shown.result([{ a: 1 }], () => 'for people')
    expect(JSON.parse(out.text)).toEqual([{ a: 1 }])
  })

  test('what has no code is an internal error', () => {
    const { ui: shown, out } = ui('json')
    shown.error(new Error('boom'))
    expect(out.json).toEqual([{ event: 'error', error: { code: 'internal', message: 'boom' } }])
  })

  test('no live line, no colours', () => {
    const { ui: shown, out } = ui('json', { columns: 80 })
    shown.live.set(() => 'working')
    shown.live.clear()
    expect(out.text).toBe('')
  })
})

describe('what others wrote cannot play with the terminal', () => {
  // The host of a laptop is whatever its owner says; so is what a pod sends as the target of a request.
  const hostile = 'mallory\x1b]0;pwned\x07\x1b[2J\x1b[1A\r\x9b2J\x00'

  test.each<[string, (shown: Ui) => void]>([
    ['error', (shown) => shown.error(new InterceptError('x', hostile, { fix: hostile }))],
    ['warning', (shown) => shown.warn('x', hostile, hostile)],
    ['event', (shown) => shown.event({ event: 'x' }, hostile)],
    ['result', (shown) => shown.result({}, () => table(['HOLDER'], [[hostile]]))],
  ])('%s', (_name, show) => {
    const { ui: shown, out, err } = ui('text')
    show(shown)
    const text = plain(out.text + err.text)
    expect(text).toContain('mallory')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
  })
})

describe('a table', () => {
  test('has its columns one below the other, and nothing after the last', () => {
    const text = plain(
      table(
        ['NAME', 'PHASE'],
        [
          ['orders-ada-1', 'Active'],
          ['x', ''],
        ],
      ),
    )
    expect(text).toBe('NAME          PHASE\norders-ada-1  Active\nx')
  })

  test('without rows is its header', () => {
    expect(plain(table(['A', 'B'], []))).toBe('A  B')
  })
})
