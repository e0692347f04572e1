import { describe, expect, it } from 'vitest'
import { Backoff } from '../../src/tunnel/backoff.ts'
import { limitsOf } from '../../src/tunnel/limits.ts'

describe('limitsOf', () => {
  it('replaces some defaults', () => {
    expect(limitsOf({ lanes: 1 })).toMatchObject({ lanes: 1, graceMs: 60_000 })
  })

  it.each([
    { lanes: 0 },
    { graceMs: Number.NaN },
    { frameBytes: 100_000 },
    { packetBytes: 1_000_000 },
    { maxStreamWindowBytes: 1_000 },
    { replayBytes: 1_000 },
    { pingMs: 6_000 },
  ])('refuses %o', (limits) => {
    expect(() => limitsOf(limits)).toThrow(expect.objectContaining({ code: 'bad-limits' }))
  })
})

describe('Backoff', () => {
  it('dials at once, then later and later, with jitter, up to a limit', () => {
    const limits = { backoffMinMs: 100, backoffMaxMs: 3_000 }
    const times = (random: number) => {
      const backoff = new Backoff(limits, () => random)
      return Array.from({ length: 8 }, () => backoff.next())
    }
    expect(times(0)).toEqual([0, 50, 100, 200, 400, 800, 1_500, 1_500])
    expect(times(1)).toEqual([0, 100, 200, 400, 800, 1_600, 3_000, 3_000])
  })

  it('begins again once a carrier has worked', () => {
    const backoff = new Backoff({ backoffMinMs: 100, backoffMaxMs: 3_000 }, () => 1)
    backoff.next()
    backoff.next()
    backoff.reset()
    expect(backoff.next()).toBe(0)
  })
})
