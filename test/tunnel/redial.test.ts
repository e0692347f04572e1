import { describe, expect, it } from 'vitest'
import { connectTunnel, generateKeys, MemoryCarrier, TunnelError } from '../../src/tunnel/index.ts'
import { turn, turns } from './support/bytes.ts'
import { RecordedStream } from './support/recorded-stream.ts'
import { quickLimits, tunnelPair } from './support/tunnel-pair.ts'

describe('the client', () => {
  it('says why each dial fails while it connects, and gives up after the grace', async () => {
    const pair = await tunnelPair({
      limits: { lanes: 2, graceMs: 100 },
      beforeDial: async () => {
        throw new TunnelError('carrier-refused', 'the API server answered with 502', { status: 502 })
      },
    })
    const first = await pair.client.became('connecting')
    expect(first.error).toMatchObject({ code: 'carrier-refused', status: 502 })
    const { error, reason } = await pair.client.became('closed')
    expect(error).toMatchObject({ code: 'carrier-refused' })
    expect(reason).toContain('502')
    await pair.close()
  })

  it('stops at once where a dial can never succeed', async () => {
    let dials = 0
    const pair = await tunnelPair({
      beforeDial: async () => {
        dials += 1
        throw new TunnelError('carrier-refused', 'forbidden', { status: 403, final: true })
      },
    })
    expect((await pair.client.became('closed')).error).toMatchObject({ status: 403 })
    expect(dials).toBe(1)
    await pair.close()
  })

  it('gives a dial up that takes too long, and closes what comes of it later', async () => {
    const late: MemoryCarrier[] = []
    let answer: (() => void) | undefined
    let aborted = 0
    const tunnel = connectTunnel({
      dial: (_lane, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted += 1
          })
          answer ??= () => {
            const [near] = MemoryCarrier.pair()
            late.push(near)
            resolve(near)
          }
        }),
      keys: generateKeys(),
      claims: {},
      clientVersion: 'test',
      events: { onStream: () => undefined, onState: () => undefined },
      limits: { ...quickLimits, lanes: 1, dialMs: 20 },
    })
    while (aborted === 0) await turn()
    answer?.()
    await turns(2)
    expect(late[0]?.closed).toBe(true)
    await tunnel.close('now')
  })

  it('gives up a server that accepts the carrier and says nothing', async () => {
    const carriers: MemoryCarrier[] = []
    const tunnel = connectTunnel({
      dial: async () => {
        const [near] = MemoryCarrier.pair()
        carriers.push(near)
        return near
      },
      keys: generateKeys(),
      claims: {},
      clientVersion: 'test',
      events: { onStream: () => undefined, onState: () => undefined },
      limits: { ...quickLimits, lanes: 1, handshakeMs: 20 },
    })
    while (carriers.length < 3) await turn()
    expect(carriers[0]?.closed).toBe(true)
    await tunnel.close('now')
    await turn()
    expect(carriers.every(({ closed }) => closed)).toBe(true)
  })

  it('begins anew where a session runs out in the very handshake that would have resumed it', async () => {
    let hold: Promise<void> | undefined
    let release: () => void = () => undefined
    const pair = await tunnelPair({
      limits: { lanes: 2, graceMs: 5_000, handshakeMs: 5_000, nearMs: 1e-6 },
      clientLimits: { graceMs: 60 },
      authorize: async () => {
        await hold
        return { identity: 'ada' }
      },
    })
    await pair.client.became('up')
    while (pair.carriers.filter(({ sent }) => sent > 1).length < 2) await turn()
    const server = await pair.server
    pair.client.onStream = (stream) => void new RecordedStream(stream)
    const streams = [0, 1].map(() => new RecordedStream(server.tunnel.open({})))
    hold = new Promise((resolve) => {
      release = resolve
    })
    pair.carriers[1]?.break()
    const from = performance.now()
    while (performance.now() - from < 150) await turn()
    release()
    const lost = await Promise.any(streams.map((stream) => stream.until(({ events }) => events.includes('reset'))))
    expect(lost.code).toBe('session-lost')
    expect(pair.hellos.slice(2).map(({ lane, resume }) => [lane, resume !== undefined])).toEqual([
      [1, true],
      [1, false],
    ])
    expect(pair.client.states.map(({ state }) => state)).toEqual(['up'])
    await pair.close()
  })

  it('brings all lanes back as soon as one finds the network again', async () => {
    let up = true
    const pair = await tunnelPair({
      limits: { lanes: 3, graceMs: 20_000 },
      clientLimits: { backoffMinMs: 10_000, backoffMaxMs: 10_000 },
      beforeDial: async (lane) => {
        if (!up && lane !== 1) throw new TunnelError('carrier-failed', 'ENETUNREACH')
        if (!up) await new Promise((resolve) => setTimeout(resolve, 30))
        up = true
      },
    })
    await pair.client.became('up')
    while (pair.carriers.filter(({ sent }) => sent > 1).length < 3) await turn()
    const joined = performance.now()
    while (performance.now() - joined < 5) await turn()
    up = false
    pair.cut()
    await pair.client.became('up')
    const since = performance.now()
    while (pair.carriers.length < 6) await turn()
    expect(performance.now() - since).toBeLessThan(2_000)
    await pair.close()
  })
})
