import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tunnelLimits } from '../../src/tunnel/limits.ts'
import { ReceiveWindow } from '../../src/tunnel/receive-window.ts'
import { TunnelTotals } from '../../src/tunnel/totals.ts'

const knobs = { ...tunnelLimits, streamWindowBytes: 1_000, maxStreamWindowBytes: 16_000, windowPoolBytes: 20_000 }

/** A peer that uses all credit, a reader that takes everything `everyMs`. Returns the window's size. */
function run(window: ReceiveWindow, everyMs: number, rounds: number, roundTripMs: number): number {
  let credit = window.size
  for (let round = 0; round < rounds; round += 1) {
    expect(window.receive(credit)).toBe(true)
    window.consume(credit, { now: () => round * everyMs, roundTripMs })
    credit = window.grant()
  }
  return window.size
}

describe('ReceiveWindow', () => {
  it('grows to its limit while the peer uses it up within a round trip', () => {
    expect(run(new ReceiveWindow(knobs, new TunnelTotals()), 20, 20, 20)).toBe(16_000)
  })

  it('does not grow for a reader that is slower than the link', () => {
    expect(run(new ReceiveWindow(knobs, new TunnelTotals()), 500, 20, 20)).toBeLessThanOrEqual(2_000)
  })

  it('shares one pool with all others, and gives back what it took', () => {
    const totals = new TunnelTotals()
    const windows = [1, 2, 3].map(() => new ReceiveWindow(knobs, totals))
    for (const window of windows) run(window, 20, 20, 20)
    expect(totals.grownBytes).toBeLessThanOrEqual(20_000)
    expect(windows.reduce((sum, window) => sum + window.size, 0)).toBeLessThanOrEqual(3_000 + 20_000)
    for (const window of windows) window.release()
    expect(totals.grownBytes).toBe(0)
  })

  it('never lets the peer have more under way and unread than its size', () => {
    const step = fc.record({
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      read: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const window = new ReceiveWindow(knobs, new TunnelTotals())
        let credit = window.size
        let now = 0
        for (const { part, read } of steps) {
          const bytes = Math.floor(credit * part)
          expect(window.receive(bytes)).toBe(true)
          credit -= bytes
          expect(window.receive(credit + 1)).toBe(false)
          now += 5
          if (window.consume(Math.floor(window.held * read), { now: () => now, roundTripMs: 20 }))
            credit += window.grant()
          expect(credit + window.held).toBeLessThanOrEqual(window.size)
        }
      }),
    )
  })
})
