import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoff } from '../../src/kube/backoff.ts'

describe('backoff', () => {
  it('stays between half of the minimum and the maximum, whatever the dice say', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { minLength: 1, maxLength: 60 }),
        (dice) => {
          let at = 0
          const pause = backoff(200, 10_000, () => dice[at++ % dice.length] ?? 0)
          const delays = dice.map(() => pause.next())
          expect(Math.min(...delays)).toBeGreaterThanOrEqual(100)
          expect(Math.max(...delays)).toBeLessThanOrEqual(10_000)
        },
      ),
    )
  })

  it('doubles, then starts anew', () => {
    const pause = backoff(200, 10_000, () => 1)
    expect([pause.next(), pause.next(), pause.next()]).toEqual([200, 400, 800])
    pause.reset()
    expect(pause.next()).toBe(200)
  })
})
