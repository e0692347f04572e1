import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { TunnelError } from '../../src/tunnel/index.ts'
import { bytesFrom, turn } from './support/bytes.ts'
import { RecordedStream, writeAll } from './support/recorded-stream.ts'
import { tunnelPair } from './support/tunnel-pair.ts'

describe('a tunnel over WebSockets that are cut', () => {
  it('loses and doubles nothing in a transfer both ways', async () => {
    const pair = await tunnelPair({ transport: 'web-socket', limits: { lanes: 2 } })
    await pair.client.became('up')
    const server = await pair.server
    const remote: RecordedStream[] = []
    const blocks = Array.from({ length: 160 }, (_, index) => bytesFrom(index, 0, 100_000))
    const digest = createHash('sha256').update(Buffer.concat(blocks)).digest('hex')
    pair.client.onStream = (stream) => {
      stream.accept()
      const recorded = new RecordedStream(stream, { keep: false })
      remote.push(recorded)
      void writeAll(recorded, blocks).then(() => stream.end())
    }
    const local = [0, 1, 2].map(() => new RecordedStream(server.tunnel.open({}), { keep: false }))
    const sending = local.map((stream) => writeAll(stream, blocks).then(() => stream.stream.end()))
    let cuts = 0
    for (const part of [2_000_000, 5_000_000, 9_000_000, 13_000_000]) {
      await local[0]?.until(({ bytes }) => bytes >= part)
      pair.cut()
      cuts += 1
      await turn()
    }
    await Promise.all(sending)
    for (const stream of [...local, ...remote]) await stream.until(({ ended }) => ended)
    expect(cuts).toBe(4)
    expect(new Set([...local, ...remote].map((stream) => stream.digest()))).toEqual(new Set([digest]))
    expect([...local, ...remote].flatMap(({ events }) => events)).not.toContain('reset')
    await pair.close()
  }, 15_000)

  it('is down at once on both sides when every carrier is gone, and up again with the same streams', async () => {
    let mayDial: () => void = () => undefined
    let gate = Promise.resolve()
    const pair = await tunnelPair({ transport: 'web-socket', limits: { lanes: 2 }, beforeDial: () => gate })
    await pair.client.became('up')
    const server = await pair.server
    await server.became('up')
    pair.client.onStream = (stream) => {
      stream.accept()
      const echo = new RecordedStream(stream)
      void echo
        .until(({ ended }) => ended)
        .then(() => {
          stream.write(Buffer.from(echo.text.toUpperCase()))
          stream.end()
        })
    }
    const caller = new RecordedStream(server.tunnel.open({}))
    caller.stream.write(Buffer.from('before '))
    gate = new Promise((resolve) => {
      mayDial = resolve
    })
    pair.cut()
    expect((await server.became('down')).reason).toBeTruthy()
    await pair.client.became('down')
    expect(() => server.tunnel.open({})).toThrow(expect.objectContaining({ code: 'tunnel-down' }))
    expect(caller.stream.stalled).toBe(true)
    caller.stream.write(Buffer.from('during '))
    mayDial()
    const { downMs } = await server.became('up')
    expect(downMs).toBeGreaterThanOrEqual(0)
    caller.stream.write(Buffer.from('after'))
    caller.stream.end()
    await caller.until(({ ended }) => ended)
    expect(caller.text).toBe('BEFORE DURING AFTER')
    expect(caller.events).toEqual(['accept', 'end'])
    await pair.close()
  })
})

describe('a lost session', () => {
  it('is over after the grace, on both sides, with every stream reset', async () => {
    let dead = false
    const pair = await tunnelPair({
      limits: { lanes: 2, graceMs: 80 },
      beforeDial: async () => {
        if (dead) throw new TunnelError('carrier-failed', 'ENETUNREACH')
      },
    })
    await pair.client.became('up')
    const server = await pair.server
    const remote: RecordedStream[] = []
    pair.client.onStream = (stream) => {
      stream.accept()
      remote.push(new RecordedStream(stream))
    }
    const local = new RecordedStream(server.tunnel.open({}))
    await local.until(({ events }) => events.includes('accept'))
    dead = true
    pair.cut()
    await pair.client.became('closed')
    await server.became('closed')
    expect(local.events).toEqual(['accept', 'reset'])
    expect(local.code).toBe('session-lost')
    expect(remote[0]?.code).toBe('session-lost')
    expect(pair.tunnelServer.tunnels).toEqual([])
    expect(() => pair.client.tunnel.open({})).toThrow(expect.objectContaining({ code: 'tunnel-down' }))
    await pair.close()
  })

  it('is replaced after a restart of the server', async () => {
    const gates: (() => void)[] = []
    let gated = false
    const pair = await tunnelPair({
      limits: { lanes: 1, graceMs: 40 },
      clientLimits: { graceMs: 5_000 },
      beforeDial: async () => {
        if (gated) await new Promise<void>((resolve) => gates.push(resolve))
      },
    })
    await pair.client.became('up')
    const server = await pair.server
    server.onStream = (stream) => {
      stream.accept()
      new RecordedStream(stream)
    }
    const local = new RecordedStream(pair.client.tunnel.open({}))
    await local.until(({ events }) => events.includes('accept'))
    gated = true
    pair.cut()
    await server.became('closed')
    gated = false
    for (const open of gates) open()
    await pair.client.became('up')
    expect(local.code).toBe('session-lost')
    expect(pair.tunnelServer.tunnels).toHaveLength(1)
    expect(pair.tunnelServer.tunnels[0]?.id).toBe(pair.client.tunnel.id)
    await pair.close()
  })
})

describe('a carrier that falls silent', () => {
  it('is noticed by both sides and replaced, without a byte lost', async () => {
    const pair = await tunnelPair({ limits: { lanes: 1, pingMs: 30, deadMs: 90 } })
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => {
      stream.accept()
      const echo = new RecordedStream(stream)
      void echo.until(({ ended }) => ended).then(() => stream.end())
    }
    const caller = new RecordedStream(server.tunnel.open({}))
    await caller.until(({ events }) => events.includes('accept'))
    pair.carriers[0]?.silence()
    const since = performance.now()
    caller.stream.write(Buffer.from('into the void'))
    expect((await pair.client.became('down')).reason).toMatch(/silent/)
    expect(performance.now() - since).toBeLessThan(1_000)
    await pair.client.became('up')
    caller.stream.end()
    await caller.until(({ ended }) => ended)
    await pair.close()
  })

  it('is left alone while it only has nothing to say', async () => {
    const pair = await tunnelPair({ transport: 'web-socket', limits: { lanes: 1, pingMs: 20, deadMs: 80 } })
    await pair.client.became('up')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(pair.client.states.map(({ state }) => state)).toEqual(['up'])
    expect(pair.client.tunnel.stats.roundTripMs).toBeLessThan(50)
    await pair.close()
  })
})
