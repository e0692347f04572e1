import { describe, expect, it } from 'vitest'
import { bytesFrom, turns } from './support/bytes.ts'
import { RecordedStream } from './support/recorded-stream.ts'
import { tunnelPair } from './support/tunnel-pair.ts'

describe.each(['client', 'server'] as const)('a tunnel that its %s closes', (closer) => {
  async function joined() {
    const pair = await tunnelPair({ transport: 'web-socket', limits: { lanes: 2 } })
    await pair.client.became('up')
    const server = await pair.server
    const [us, them] = closer === 'client' ? [pair.client, server] : [server, pair.client]
    const remote: RecordedStream[] = []
    them.onStream = (stream) => {
      stream.accept()
      remote.push(new RecordedStream(stream))
    }
    return { pair, us, them, remote }
  }

  it('now: resets every stream on both sides at once', async () => {
    const { pair, us, them, remote } = await joined()
    const local = [0, 1, 2].map(() => new RecordedStream(us.tunnel.open({})))
    await Promise.all(local.map((stream) => stream.until(({ events }) => events.includes('accept'))))
    const closing = us.tunnel.close('now', 'the user pressed Ctrl-C')
    expect(us.tunnel.state).toBe('closed')
    expect((await them.became('closed')).reason).toBe('the user pressed Ctrl-C')
    await closing
    expect([...local, ...remote].map(({ code }) => code)).toEqual(Array(6).fill('tunnel-closed'))
    expect(pair.tunnelServer.tunnels).toEqual([])
    await pair.close()
  })

  it('drain: lets open streams finish, to the last byte, and takes no new ones', async () => {
    const { pair, us, them, remote } = await joined()
    const local = [0, 1, 2].map(() => new RecordedStream(us.tunnel.open({})))
    await Promise.all(local.map((stream) => stream.until(({ events }) => events.includes('accept'))))
    let closed = false
    const closing = us.tunnel.close('drain', 'shutting down').then(() => {
      closed = true
    })
    while (them.draining.length === 0) await turns(1)
    expect(them.draining).toEqual(['shutting down'])
    expect(() => us.tunnel.open({})).toThrow(expect.objectContaining({ code: 'tunnel-draining' }))
    expect(() => them.tunnel.open({})).toThrow(expect.objectContaining({ code: 'tunnel-draining' }))
    expect(closed).toBe(false)
    for (const stream of remote) {
      stream.stream.write(bytesFrom(1, 0, 500_000))
      stream.stream.end()
    }
    for (const { stream } of local) {
      stream.write(bytesFrom(2, 0, 500_000))
      stream.end()
    }
    await closing
    await them.became('closed')
    for (const stream of [...local, ...remote]) {
      expect(stream.bytes).toBe(500_000)
      expect(stream.events).not.toContain('reset')
    }
    await pair.close()
  })

  it('drain, then now: does not wait any longer', async () => {
    const { pair, us } = await joined()
    const stuck = new RecordedStream(us.tunnel.open({}))
    const draining = us.tunnel.close('drain')
    await us.tunnel.close('now')
    await draining
    expect(stuck.code).toBe('tunnel-closed')
    await pair.close()
  })
})

describe('streams', () => {
  it('are refused with a code, and nothing of them was delivered', async () => {
    const pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => stream.refuse('ECONNREFUSED', 'nobody listens on 8080')
    const caller = new RecordedStream(server.tunnel.open({}))
    caller.stream.write(Buffer.from('hello'))
    await caller.until(({ events }) => events.includes('refuse'))
    expect(caller).toMatchObject({ code: 'ECONNREFUSED', message: 'nobody listens on 8080', events: ['refuse'] })
    await pair.close()
  })

  it('carry a reset with its code, ahead of what is queued', async () => {
    const pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    const remote: RecordedStream[] = []
    pair.client.onStream = (stream) => {
      stream.accept()
      remote.push(new RecordedStream(stream, { hold: true }))
    }
    const caller = new RecordedStream(server.tunnel.open({}))
    caller.stream.write(Buffer.alloc(1_000_000))
    await caller.until(({ events }) => events.includes('accept'))
    caller.stream.reset('ECONNRESET')
    await remote[0]?.until(({ events }) => events.includes('reset'))
    expect(remote[0]?.code).toBe('ECONNRESET')
    expect(server.tunnel.stats.streams + pair.client.tunnel.stats.streams).toBe(0)
    await pair.close()
  })

  it('carry datagrams both ways', async () => {
    const pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => {
      const handlers = {
        onData: () => undefined,
        onEnd: () => undefined,
        onReset: () => undefined,
        onDrain: () => undefined,
      }
      stream.handle({ ...handlers, onDatagram: (datagram) => stream.sendDatagram(Buffer.concat([datagram, datagram])) })
    }
    const caller = new RecordedStream(server.tunnel.open({ proto: 'udp' }))
    for (const text of ['a', '', 'bc']) caller.stream.sendDatagram(Buffer.from(text))
    caller.stream.sendDatagram(Buffer.alloc(65_508))
    caller.stream.sendDatagram(Buffer.alloc(30_000))
    await caller.until(({ datagrams }) => datagrams.length === 4)
    expect(caller.datagrams.map(({ length }) => length)).toEqual([2, 0, 4, 60_000])
    await pair.close()
  })

  it('have a limit that the opener is told, and a header with a length', async () => {
    const pair = await tunnelPair({ limits: { maxStreams: 2, headerBytes: 100 } })
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => void new RecordedStream(stream)
    server.tunnel.open({})
    server.tunnel.open({})
    expect(() => server.tunnel.open({})).toThrow(expect.objectContaining({ code: 'too-many-streams' }))
    expect(() => server.tunnel.open({ a: 'x'.repeat(200) })).toThrow(
      expect.objectContaining({ code: 'header-too-big' }),
    )
    await pair.close()
  })

  it('leave nothing behind', async () => {
    const pair = await tunnelPair({ limits: { lanes: 3 } })
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => {
      const recorded = new RecordedStream(stream)
      void recorded.until(({ ended, events }) => ended || events.includes('reset')).then(() => stream.end())
    }
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const caller = new RecordedStream(server.tunnel.open({ index }))
          caller.stream.write(Buffer.from('hello'))
          if (index % 3 === 0) caller.stream.reset()
          else {
            caller.stream.end()
            await caller.until(({ ended }) => ended)
          }
        }),
      )
    }
    await turns(5)
    expect(server.tunnel.stats).toMatchObject({ streams: 0 })
    expect(pair.client.tunnel.stats).toMatchObject({ streams: 0 })
    await pair.close()
  })
})
