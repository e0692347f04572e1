import { describe, expect, it } from 'vitest'
import { DeliveryMeter } from '../../src/tunnel/delivery-meter.ts'
import { tunnelLimits } from '../../src/tunnel/limits.ts'
import { RecentBytes } from '../../src/tunnel/recent-bytes.ts'
import { ReplayBuffer } from '../../src/tunnel/replay-buffer.ts'

function session() {
  const meter = new DeliveryMeter(tunnelLimits)
  const replay = new ReplayBuffer()
  const send = (bytes: number, now: number) => replay.add(meter.stamp([], bytes, true, replay, now))
  const ack = (position: number, now: number) => {
    const last = replay.ack(position)
    if (last) meter.acked(last, position, now)
  }
  return { meter, replay, send, ack }
}

describe('DeliveryMeter', () => {
  it('does not take small requests for a slow link', () => {
    const { meter, replay, send, ack } = session()
    for (let now = 0; now < 20_000; now += 25) {
      send(200, now)
      ack(replay.sent, now + 20)
    }
    expect(meter.limitBytes).toBeGreaterThanOrEqual(tunnelLimits.initialInFlightBytes)
    expect(meter.roundTripMs).toBeCloseTo(20)
  })

  it('does not take bursts with pauses between them for a slow link either', () => {
    const { meter, replay, send, ack } = session()
    for (let now = 0; now < 20_000; now += 100) {
      for (let packet = 0; packet < 3; packet += 1) send(60_000, now)
      meter.ranDry(replay.sent)
      for (let packet = 3; packet > 0; packet -= 1) ack(replay.sent - (packet - 1) * 60_000, now + 21 - packet / 10)
    }
    expect(meter.limitBytes).toBeGreaterThanOrEqual(tunnelLimits.initialInFlightBytes)
  })

  it('forgets one carrier on the next', () => {
    const { meter, replay, send, ack } = session()
    send(100_000, 0)
    meter.restart(replay.sent, 60_000)
    ack(replay.sent, 60_030)
    expect(meter.roundTripMs).toBeUndefined()
    send(1_000, 60_040)
    ack(replay.sent, 60_050)
    expect(meter.roundTripMs).toBe(10)
  })
})

describe('ReplayBuffer', () => {
  it('lets go of what is acknowledged, and believes no position that no packet ends at', () => {
    const { replay, send } = session()
    for (const bytes of [10, 20, 30]) send(bytes, 0)
    expect(replay).toMatchObject({ acked: 0, sent: 60, bytes: 60, packets: 3 })
    expect(replay.ack(61)).toBe(false)
    expect(replay.ack(0)).toBeUndefined()
    expect(replay.ack(30)).toMatchObject({ start: 10, end: 30 })
    expect(replay.ack(29)).toBe(false)
    expect(replay.ack(45)).toBe(false)
    expect([...replay.unacked()].map(({ start }) => start)).toEqual([30])
  })
})

describe('RecentBytes', () => {
  it('counts what came lately, and half of what came a quarter of a second before', () => {
    const recent = new RecentBytes()
    recent.add(1_000, 10_000)
    expect(recent.at(10_000)).toBeCloseTo(1_000)
    expect(recent.at(10_250)).toBeCloseTo(500)
    recent.add(500, 10_260)
    expect(recent.at(20_000)).toBeLessThan(1)
  })
})
