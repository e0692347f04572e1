import { describe, expect, it } from 'vitest'
import { TunnelError } from '../../src/tunnel/index.ts'
import { bytesFrom, turn } from './support/bytes.ts'
import { RecordedStream } from './support/recorded-stream.ts'
import { tunnelPair } from './support/tunnel-pair.ts'

async function allLanesUp(pair: Awaited<ReturnType<typeof tunnelPair>>, lanes: number): Promise<void> {
  await pair.client.became('up')
  while (pair.carriers.filter(({ sent }) => sent > 1).length < lanes) await turn()
}

describe('lanes', () => {
  it('share the streams out evenly', async () => {
    const pair = await tunnelPair({ limits: { lanes: 3, nearMs: 1e-6 } })
    await allLanesUp(pair, 3)
    pair.client.onStream = (stream) => {
      stream.accept()
      new RecordedStream(stream)
    }
    const server = await pair.server
    const streams = Array.from({ length: 9 }, () => new RecordedStream(server.tunnel.open({})))
    await Promise.all(streams.map((stream) => stream.until(({ events }) => events.includes('accept'))))
    pair.carriers[0]?.break()
    await turn()
    expect(streams.filter(({ stream }) => stream.stalled)).toHaveLength(3)
    expect(server.tunnel.state).toBe('up')
    await pair.close()
  })

  it('are filled one after the other on a near link', async () => {
    const pair = await tunnelPair({ limits: { lanes: 3, nearMs: 10_000 } })
    await allLanesUp(pair, 3)
    pair.client.onStream = (stream) => {
      stream.accept()
      new RecordedStream(stream)
    }
    const server = await pair.server
    while (server.tunnel.stats.roundTripMs === undefined) await turn()
    const streams = Array.from({ length: 9 }, () => new RecordedStream(server.tunnel.open({})))
    await Promise.all(streams.map((stream) => stream.until(({ events }) => events.includes('accept'))))
    pair.carriers[0]?.break()
    await turn()
    expect([0, 9]).toContain(streams.filter(({ stream }) => stream.stalled).length)
    await pair.close()
  })

  it('keep small streams away from a bulk transfer, whichever way that goes', async () => {
    for (const direction of ['down', 'up'] as const) {
      const pair = await tunnelPair({ limits: { lanes: 2, streamQueueBytes: 4_000_000 } })
      await allLanesUp(pair, 2)
      const server = await pair.server
      pair.client.onStream = (stream) => {
        stream.accept()
        const recorded = new RecordedStream(stream, { keep: false })
        if (stream.header.bulk && direction === 'up') stream.write(bytesFrom(1, 0, 3_000_000))
        void recorded
      }
      const bulk = new RecordedStream(server.tunnel.open({ bulk: true }), { keep: false })
      if (direction === 'down') bulk.stream.write(bytesFrom(1, 0, 3_000_000))
      else await bulk.until(({ bytes }) => bytes > 1_000_000)
      const small = Array.from({ length: 6 }, () => new RecordedStream(server.tunnel.open({})))
      pair.carriers[0]?.break()
      await turn()
      expect(small.filter(({ stream }) => stream.stalled)).toHaveLength(bulk.stream.stalled ? 0 : 6)
      await pair.close()
    }
  })

  it('go on with those that are left, and take the lost one back', async () => {
    let refuse = false
    const pair = await tunnelPair({
      limits: { lanes: 2, graceMs: 100, nearMs: 1e-6 },
      beforeDial: async (lane) => {
        if (refuse && lane === 1) throw new TunnelError('carrier-failed', 'the network is down')
      },
    })
    await allLanesUp(pair, 2)
    const server = await pair.server
    pair.client.onStream = (stream) => {
      stream.accept()
      new RecordedStream(stream)
    }
    const streams = [0, 1].map(() => new RecordedStream(server.tunnel.open({})))
    await Promise.all(streams.map((stream) => stream.until(({ events }) => events.includes('accept'))))
    refuse = true
    for (const carrier of pair.carriers) carrier.break()
    await pair.client.became('down')
    await pair.client.became('up')
    const lost = await Promise.any(streams.map((stream) => stream.until(({ events }) => events.includes('reset'))))
    expect(lost.code).toBe('session-lost')
    expect(streams.filter(({ events }) => events.includes('reset'))).toHaveLength(1)
    refuse = false
    const fresh = () => pair.hellos.filter(({ lane, resume }) => lane === 1 && resume === undefined).length
    while (fresh() < 2) await turn()
    expect(server.tunnel.state).toBe('up')
    await pair.close()
  })
})
