import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { regexOf, whyNotRegex } from '../../src/match/regex.ts'
import { literalsOf } from '../../src/match/regex-literals.ts'

describe('what texts begin with', () => {
  const whole = (text: string) => ({ text, whole: true })
  const start = (text: string) => ({ text, whole: false })
  test.each([
    ['ada', [whole('ada')]],
    ['^ada$', [whole('ada')]],
    ['ada|bob', [whole('ada'), whole('bob')]],
    ['a\\.b/.*', [start('a.b/')]],
    ['ab?', [start('a')]],
    ['ab+', [start('ab')]],
    ['ab{0,2}', [start('a')]],
    ['/a(b|c)|/d', [start('/a'), whole('/d')]],
    ['/[|)]x|/d', [start('/'), whole('/d')]],
    ['/[]|]x', [start('/')]],
    ['[[:alpha:]|]x', [start('')]],
    ['a\\|b', [whole('a|b')]],
    ['(?i)ada|bob', [start('')]],
    ['ada|(?i)b|c', [start('')]],
    ['\\Qa|b\\E', [start('')]],
    ['\\d+', [start('')]],
    ['', [whole('')]],
  ])('%s', (source, literals) => {
    expect(literalsOf(source)).toEqual(literals)
  })

  test('never claims more than is true', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '|',
      '(',
      ')',
      '*',
      '+',
      '?',
      '{1}',
      '{0,2}',
      '[ab]',
      '[^a]',
      '[]|]',
      '.',
      '^',
      '$',
      '\\.',
      '\\|',
      '\\d',
      '(?:',
      '(?i)',
      '(?P<n>',
      '\\Q',
      '\\E',
      '[[:alpha:]|]',
    )
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '.', '|', '1', ']'), maxLength: 5 })
    let matched = 0
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 7 }),
        fc.array(text, { minLength: 30, maxLength: 30 }),
        (pieces, texts) => {
          const source = pieces.join('')
          if (whyNotRegex(source) !== undefined) return
          const literals = literalsOf(source)
          for (const one of [...texts, ...literals.map((literal) => literal.text)]) {
            if (!regexOf(source).matches(one)) continue
            matched++
            const isTold = literals.some((literal) =>
              literal.whole ? one === literal.text : one.startsWith(literal.text),
            )
            expect(isTold, `${source} matches ${one}`).toBe(true)
          }
        },
      ),
      { numRuns: 5_000 },
    )
    expect(matched).toBeGreaterThan(2_000)
  })
})

test.each(['(?=a)', '(?<!a)b', '(a)\\1', '(', 'a**', '[b-a]', 'a{1001}'])('RE2 does not take %s', (source) => {
  expect(whyNotRegex(source)).toMatch(/./)
})
