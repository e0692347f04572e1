import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LiveLine } from '../../cli/ui/live-line.ts'
import { Output, plain } from './support/output.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const erase = '\r\x1b[2K'

/** What stands in the line after each time that it was drawn. */
const drawn = (out: Output): string[] => out.text.split(erase).slice(1)

describe('the line at the bottom', () => {
  test('is drawn again while the text changes, and leaves nothing', () => {
    const out = new Output({ columns: 80 })
    const line = new LiveLine(out, true)
    let count = 0
    line.set(() => `${count} requests`)
    count = 1
    vi.advanceTimersByTime(100)
    line.clear()
    vi.advanceTimersByTime(1_000)
    expect(drawn(out).map((text) => text.slice(2))).toEqual(['0 requests', '1 requests', ''])
  })

  test('makes room for what is written elsewhere on the terminal', () => {
    const out = new Output({ columns: 80 })
    const line = new LiveLine(out, true)
    line.set(() => 'working')
    line.above(() => out.write('! from stderr\n'))
    line.clear()
    line.above(() => out.write('! and again\n'))
    const frames = drawn(out)
    expect(frames[1]).toBe('! from stderr\n')
    expect(frames[2]).toMatch(/working$/)
    expect(frames[3]).toBe('! and again\n')
  })

  test('stays below what is printed', () => {
    const out = new Output({ columns: 80 })
    const line = new LiveLine(out, true)
    line.set(() => 'working')
    line.print('done: one')
    const frames = drawn(out)
    expect(frames[1]).toBe('done: one\n')
    expect(frames[2]).toMatch(/working$/)
  })

  test('is nothing where there is no terminal; what is printed is', () => {
    const out = new Output()
    const line = new LiveLine(out, false)
    line.set(() => 'working')
    line.print('done')
    vi.advanceTimersByTime(1_000)
    line.clear()
    expect(out.text).toBe('done\n')
  })
})

/** Columns of a terminal that a text takes: wide East Asian characters and emoji take two. */
const columnsOf = (text: string): number =>
  [...new Intl.Segmenter().segment(text)].reduce(
    (sum, { segment }) => sum + (/\p{Emoji_Presentation}|[ᄀ-ᅟ⺀-꓏가-힣豈-﫿︰-﹏＀-｠￠-￦]/u.test(segment) ? 2 : 1),
    0,
  )

describe('never takes more than one line, which could not be erased', () => {
  const show = (text: string, columns: number): string => {
    const out = new Output({ columns })
    const line = new LiveLine(out, true)
    line.set(() => text)
    line.clear()
    return plain(drawn(out)[0] ?? '')
  }

  test.each([
    ['a long target', 'GET /'.padEnd(300, 'x')],
    ['colours', `\x1b[36mlocalhost:8080\x1b[39m \x1b[2m${'orders '.repeat(20)}\x1b[22m`],
    ['more than one line', 'first\nsecond\r\nthird'],
    ['escapes of somebody else', `GET /\x1b[2J\x1b]8;;http://evil\x07${'x'.repeat(100)}`],
    ['wide characters', '注文'.repeat(60)],
    ['tabs', '\t'.repeat(40)],
  ])('%s', (_name, text) => {
    const shown = show(text, 40)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
    expect(shown).not.toMatch(/[\x00-\x1f\x7f-\x9f]/)
    expect(columnsOf(shown)).toBeLessThan(40)
  })

  test('whatever the text and the width', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary-ascii', maxLength: 200 }),
        fc.integer({ min: 3, max: 120 }),
        (text, columns) => {
          const shown = show(text, columns)
          // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
          expect(shown).not.toMatch(/[\x00-\x1f\x7f-\x9f]/)
          expect(columnsOf(shown)).toBeLessThan(columns)
        },
      ),
    )
  })

  test('colours do not count, and none is cut in two or left on', () => {
    const out = new Output({ columns: 12 })
    const line = new LiveLine(out, true)
    line.set(() => '\x1b[36m0123456789abcdef\x1b[39m')
    line.clear()
    expect(plain(drawn(out)[0] ?? '').slice(2)).toBe('012345678')
    expect(drawn(out)[0]).toContain('\x1b[36m012345678')
    expect(drawn(out)[0]?.endsWith('\x1b[0m')).toBe(true)
  })
})
