import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Heartbeat } from '../../src/tunnel/heartbeat.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function beat() {
  const seen = { pings: 0, dead: 0 }
  const heartbeat = new Heartbeat({
    pingMs: 2_000,
    deadMs: 6_000,
    ping: () => {
      seen.pings += 1
    },
    dead: () => {
      seen.dead += 1
      heartbeat.stop()
    },
  })
  return { heartbeat, seen }
}

describe('Heartbeat', () => {
  it('asks a carrier that is silent for a while, and gives up one that stays silent', () => {
    const { seen } = beat()
    vi.advanceTimersByTime(1_900)
    expect(seen).toEqual({ pings: 0, dead: 0 })
    vi.advanceTimersByTime(1_200)
    expect(seen.pings).toBeGreaterThan(0)
    vi.advanceTimersByTime(4_000)
    expect(seen.dead).toBe(1)
  })

  it('leaves one alone that is heard', () => {
    const { heartbeat, seen } = beat()
    for (let at = 0; at < 60_000; at += 500) {
      vi.advanceTimersByTime(500)
      heartbeat.heard(performance.now())
    }
    expect(seen).toEqual({ pings: 0, dead: 0 })
    heartbeat.stop()
  })

  it('does not take its own sleep for the silence of the peer', () => {
    const { heartbeat, seen } = beat()
    vi.advanceTimersByTime(1_000)
    const realNow = performance.now.bind(performance)
    const asleepMs = 600_000
    vi.spyOn(performance, 'now').mockImplementation(() => realNow() + asleepMs)
    vi.advanceTimersByTime(1_000)
    expect(seen).toEqual({ pings: 1, dead: 0 })
    heartbeat.heard(performance.now())
    vi.advanceTimersByTime(1_000)
    expect(seen.dead).toBe(0)
    heartbeat.stop()
    vi.restoreAllMocks()
  })
})
