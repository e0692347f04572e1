import { describe, expect, it } from 'vitest'
import { FlightLimit } from '../../src/tunnel/flight-limit.ts'
import { tunnelLimits } from '../../src/tunnel/limits.ts'

interface Link {
  /** Bytes a millisecond. */
  readonly rate: number
  readonly delayMs: number
}

/** A sender that always has more, on a link with a queue of any length; returns the flight's limit over time. */
function transfer(link: (now: number) => Link, forMs: number) {
  const flight = new FlightLimit(tunnelLimits)
  const packetBytes = 16 * 1024
  let now = 0
  let sent = 0
  let acked = 0
  let ackedAt = 0
  let departure = 0
  let freeAt = 0
  const under: { end: number; sentAt: number; ackAt: number; acked: number; ackedAt: number; departure: number }[] = []
  const history: { now: number; limit: number; delay: number }[] = []
  while (now < forMs) {
    while (sent - acked < flight.bytes) {
      const { rate, delayMs } = link(now)
      freeAt = Math.max(freeAt, now) + packetBytes / rate
      sent += packetBytes
      under.push({ end: sent, sentAt: now, ackAt: freeAt + delayMs, acked, ackedAt, departure })
    }
    const next = under.shift()
    if (!next) break
    now = next.ackAt
    acked = next.end
    flight.onSample({
      now,
      deliveredBytes: acked - next.acked,
      elapsedMs: Math.max(now - next.ackedAt, next.sentAt - next.departure),
      roundTripMs: now - next.sentAt,
      appLimited: false,
    })
    ackedAt = now
    departure = next.sentAt
    history.push({ now, limit: flight.bytes, delay: now - next.sentAt })
  }
  const since = (ms: number) => history.filter((entry) => entry.now > ms)
  return { acked, since, flight }
}

const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0)

describe('FlightLimit', () => {
  it('fills a long fast link, and queues no more than a little', () => {
    const { acked, since } = transfer(() => ({ rate: 12_500, delayMs: 40 }), 5_000)
    expect(acked / 5_000).toBeGreaterThan(0.9 * 12_500)
    expect(most(since(1_000).map(({ delay }) => delay))).toBeLessThan(40 * 1.6 + 25)
  })

  it('does not build a queue on a slow link', () => {
    const { acked, since } = transfer(() => ({ rate: 250, delayMs: 30 }), 20_000)
    expect(acked / 20_000).toBeGreaterThan(0.85 * 250)
    expect(most(since(2_000).map(({ limit }) => limit))).toBeLessThanOrEqual(48 * 1024)
  })

  it('follows a link that becomes ten times slower, and back', () => {
    const rate = (now: number) => (now > 4_000 && now < 8_000 ? 1_000 : 10_000)
    const { since } = transfer((now) => ({ rate: rate(now), delayMs: 20 }), 12_000)
    const slow = since(6_500).filter(({ now }) => now < 8_000)
    expect(most(slow.map(({ delay }) => delay))).toBeLessThan(150)
    const fast = since(10_000).map(({ limit }) => limit)
    expect(Math.min(...fast)).toBeGreaterThan(0.4 * 10_000 * 20)
  })

  it('sees a shorter round trip than its own queue makes, again and again', () => {
    const { since } = transfer(() => ({ rate: 5_000, delayMs: 50 }), 60_000)
    expect(most(since(30_000).map(({ delay }) => delay))).toBeLessThan(50 * 1.6 + 30)
  })

  it('is not misled by a sender that has little to send', () => {
    const flight = new FlightLimit(tunnelLimits)
    for (let now = 0; now < 60_000; now += 100) {
      flight.onSample({ now, deliveredBytes: 200, elapsedMs: 100, roundTripMs: 20, appLimited: true })
    }
    expect(flight.bytes).toBeGreaterThanOrEqual(tunnelLimits.initialInFlightBytes)
  })

  it('never leaves its limits', () => {
    const flight = new FlightLimit(tunnelLimits)
    for (let now = 0; now < 2_000; now += 1) {
      flight.onSample({ now, deliveredBytes: 1e9, elapsedMs: 0.001, roundTripMs: 900, appLimited: false })
    }
    expect(flight.bytes).toBe(tunnelLimits.replayBytes)
    for (let now = 3_000; now < 9_000; now += 1_000) {
      flight.onSample({ now, deliveredBytes: 1, elapsedMs: 1_000, roundTripMs: 0.1, appLimited: false })
    }
    expect(flight.bytes).toBe(tunnelLimits.minInFlightBytes)
  })
})
