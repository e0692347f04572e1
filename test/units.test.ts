import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatBytes, formatDuration, parseDuration } from '../src/units.ts'

describe('a duration as people write it', () => {
  test.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['30', 30_000],
    ['0', 0],
    ['0.5', 500],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each(['', ' ', 'soon', '10x', '-5s', '5s ', '1 h', 's', '1e3', '5s-', 'm5', '1,5h', '٣s', 'Infinity', '0x10'])(
    'is refused where it is none: %j',
    (text) => {
      expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'bad-duration' }))
    },
  )

  test('whatever is typed: a number of milliseconds that is not negative, or a refusal that quotes it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.smhd]{0,8}$/)), (text) => {
        try {
          expect(parseDuration(text)).toBeGreaterThanOrEqual(0)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-duration' })
          expect((error as Error).message).toContain(text)
        }
      }),
    )
  })
})

describe('a duration as people read it', () => {
  test.each([
    [0, '0 ms'],
    [412.4, '412 ms'],
    [999.4, '999 ms'],
    [3_210, '3.2 s'],
    [240_000, '4 min'],
    [3 * 3_600_000 + 5, '3 h'],
    [50 * 3_600_000, '2 d'],
  ])('%d', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  test('never says 1000 ms or 60.0 s', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100_000, noNaN: true }), (ms) => {
        expect(formatDuration(ms)).not.toMatch(/^(1000 ms|60\.0 s)$/)
      }),
      { examples: [[999.6], [59_960]] },
    )
  })
})

describe('a size', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [1_234_567, '1.2 MB'],
    [5_000_000_000, '5.0 GB'],
    [7e15, '7000.0 TB'],
  ])('%d', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  test('never says 1000.0 of anything but the biggest unit', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2_000_000_000_000 }), (bytes) => {
        expect(formatBytes(bytes)).not.toMatch(/^1000\.0 [kMG]?B$/)
      }),
      { examples: [[999_999], [999_950], [999_999_999]] },
    )
  })
})
