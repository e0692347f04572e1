import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrame, FrameType } from '../../src/tunnel/frame.ts'
import { createTunnelServer, type TunnelServer, type TunnelStream } from '../../src/tunnel/index.ts'
import { encodeAck, encodeToken, PacketType } from '../../src/tunnel/packet.ts'
import { turns } from './support/bytes.ts'
import { RawClient } from './support/raw-client.ts'
import { RecordedStream } from './support/recorded-stream.ts'
import { quickLimits } from './support/tunnel-pair.ts'

const limits = { ...quickLimits, maxStreams: 4, streamWindowBytes: 1_000, headerBytes: 200, controlQueueBytes: 20_000 }

function victim(onStream: (stream: TunnelStream) => void = (stream) => stream.accept()): TunnelServer {
  return createTunnelServer<string>({
    limits,
    authorize: async () => ({ identity: 'mallory' }),
    onTunnel: () => ({ onStream, onState: () => undefined }),
  })
}

const open = (id: number, header = '{}') => encodeFrame(FrameType.Open, id, Buffer.from(header))

describe('a peer that breaks the protocol', () => {
  it.each<[string, string, Buffer[]]>([
    ['sends a frame of unknown type', 'bad-frame', [Buffer.from([99, 0, 0, 0, 0, 0, 0, 1])]],
    ['opens with a header that is not JSON', 'bad-frame', [open(1, 'hello')]],
    ['opens with a header that is too long', 'bad-frame', [open(1, JSON.stringify({ a: 'x'.repeat(300) }))]],
    ['opens a number that is ours', 'bad-frame', [open(2)]],
    ['opens stream 0', 'bad-frame', [open(0)]],
    ['opens the same stream twice', 'bad-frame', [open(1), open(1)]],
    ['sends more than its credit', 'no-credit', [open(1), encodeFrame(FrameType.Data, 1, Buffer.alloc(1_001))]],
    ['ends twice', 'bad-frame', [open(1), encodeFrame(FrameType.Fin, 1), encodeFrame(FrameType.Fin, 1)]],
    [
      'sends after its end',
      'bad-frame',
      [open(1), encodeFrame(FrameType.Fin, 1), encodeFrame(FrameType.Data, 1, Buffer.from('x'))],
    ],
    ['accepts its own stream', 'bad-frame', [open(1), encodeFrame(FrameType.Accept, 1)]],
    [
      'gives credit without end',
      'bad-frame',
      [open(1), ...Array.from({ length: 3 }, () => encodeFrame(FrameType.Credit, 1, Buffer.alloc(4, 0xff)))],
    ],
    ['goes away in an unknown way', 'bad-frame', [encodeFrame(FrameType.GoAway, 0, Buffer.from('{"how":"badly"}'))]],
  ])('that %s is told %s and closed', async (_what, code, frames) => {
    const resets: string[] = []
    const server = victim((stream) => {
      stream.accept()
      const recorded = new RecordedStream(stream)
      void recorded.until(({ events }) => events.includes('reset')).then(() => resets.push(recorded.code))
    })
    const client = new RawClient(server)
    await client.login()
    client.send(Buffer.concat(frames))
    await client.until(() => client.closed !== undefined)
    expect(client.abortCode).toBe(code)
    expect(client.closed).toContain(code)
    expect(resets.every((reset) => reset === code)).toBe(true)
    expect(server.tunnels).toEqual([])
  })

  it.each<[string, string, (client: RawClient) => void]>([
    ['acknowledges what was never sent', 'bad-ack', (client) => client.carrier.send([encodeAck(5_000)])],
    [
      'skips bytes',
      'bad-position',
      (client) => {
        client.position = 10
        client.send(open(1))
      },
    ],
    ['sends no packet at all', 'bad-packet', (client) => client.carrier.send([Buffer.from([9])])],
    [
      'sends a ping that is cut off',
      'bad-packet',
      (client) => client.carrier.send([encodeAck(0).fill(PacketType.Ping, 0, 1)]),
    ],
  ])('that %s is told %s and closed', async (_what, code, misbehave) => {
    const client = new RawClient(victim())
    await client.login()
    misbehave(client)
    await client.until(() => client.closed !== undefined)
    expect(client.abortCode).toBe(code)
  })

  it('opens no more streams than it may: the others are refused', async () => {
    const streams: TunnelStream[] = []
    const server = victim((stream) => {
      streams.push(stream)
      stream.accept()
      new RecordedStream(stream)
    })
    const client = new RawClient(server)
    await client.login()
    client.send(Buffer.concat(Array.from({ length: 10 }, (_, index) => open(index * 2 + 1))))
    await client.until(() => client.messages.some((message) => message.includes('too-many-streams')))
    expect(streams).toHaveLength(4)
    expect(server.tunnels[0]?.stats.streams).toBe(4)
    await server.close('now')
  })

  it('still counts a stream whose reader is behind, although both sides ended it', async () => {
    const server = victim((stream) => {
      new RecordedStream(stream, { hold: true })
      stream.end()
    })
    const client = new RawClient(server)
    await client.login()
    const streams = Array.from({ length: 6 }, (_, index) => [
      open(index * 2 + 1),
      encodeFrame(FrameType.Data, index * 2 + 1, Buffer.alloc(500)),
      encodeFrame(FrameType.Fin, index * 2 + 1),
    ])
    client.send(Buffer.concat(streams.flat()))
    await client.until(() => client.messages.some((message) => message.includes('too-many-streams')))
    expect(server.tunnels[0]?.stats.streams).toBe(4)
    await server.close('now')
  })

  it('cannot make us queue answers that it never acknowledges', async () => {
    const server = victim((stream) => stream.refuse('no', 'x'.repeat(200)))
    const client = new RawClient(server)
    await client.login()
    for (let round = 0; round < 200 && client.closed === undefined; round += 1) {
      client.send(Buffer.concat(Array.from({ length: 20 }, (_, index) => open((round * 20 + index) * 2 + 1))))
      await turns(1)
    }
    await client.until(() => client.closed !== undefined)
    expect(client.abortCode).toBe('flood')
  })

  it('cannot make us buffer answers that it does not read', async () => {
    const server = victim((stream) => {
      stream.accept()
      new RecordedStream(stream)
      stream.write(Buffer.alloc(50_000))
    })
    const client = new RawClient(server)
    await client.login()
    client.far.stall()
    for (let round = 0; round < 300; round += 1) {
      for (let index = 0; index < 300; index += 1) client.carrier.send([encodeToken(PacketType.Ping, 0, index)])
      client.send(round === 0 ? open(1) : encodeFrame(FrameType.Credit, 1, Buffer.from([0, 0, 1, 0])))
      await turns(1)
    }
    expect(client.far.bufferedBytes).toBeGreaterThan(10_000)
    expect(client.far.bufferedBytes).toBeLessThan(1_000_000)
    await server.close('now')
  })

  it('does not pin a packet for each small piece of it that is not read', async () => {
    const streams: RecordedStream[] = []
    const server = victim((stream) => {
      stream.accept()
      streams.push(new RecordedStream(stream, { hold: true }))
    })
    const client = new RawClient(server)
    await client.login()
    client.send(open(1))
    const junk = encodeFrame(FrameType.Data, 1_001, Buffer.alloc(60_000))
    for (let round = 0; round < 20; round += 1) {
      client.send(Buffer.concat([encodeFrame(FrameType.Data, 1, Buffer.from('x')), junk]))
      await turns(1)
    }
    const [stream] = streams
    await stream?.until(({ bytes }) => bytes === 20)
    const pinned = new Set(stream?.chunks.map(({ buffer }) => buffer))
    expect([...pinned].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(200_000)
    await server.close('now')
  })
})

describe('any bytes at all', () => {
  const id = fc.constantFrom(0, 1, 2, 3, 5, 7, 0xffff_ffff)
  const frame = fc
    .tuple(
      fc.constantFrom(...Object.values(FrameType)),
      id,
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(
          ...['{}', '{"code":"a","message":"b"}', '{"how":"drain","reason":""}', '\0\0\x01\0'].map((text) =>
            Buffer.from(text),
          ),
        ),
      ),
    )
    .map(([type, stream, payload]) => encodeFrame(type, stream, Buffer.from(payload)))
  const mutated = fc.tuple(frame, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
    bytes[at % bytes.length] = value
    return bytes
  })
  const piece = fc.oneof(
    { weight: 6, arbitrary: frame },
    { weight: 2, arbitrary: mutated },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  )
  const act = fc.oneof(
    { weight: 5, arbitrary: fc.record({ data: piece }) },
    { weight: 1, arbitrary: fc.record({ raw: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) }) },
  )

  it('never crash, hang or grow the other side; it answers with a code or goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 30 }), async (acts) => {
        const server = victim((stream) => {
          const recorded = new RecordedStream(stream, { hold: true })
          stream.accept()
          stream.write(Buffer.from('hello'))
          void recorded.until(({ ended }) => ended).then(() => stream.end())
        })
        const client = new RawClient(server)
        await client.login()
        for (const one of acts) {
          if ('data' in one) client.send(one.data)
          else client.carrier.send([one.raw])
          await turns(1)
          const tunnel = server.tunnels[0]
          if (tunnel) expect(tunnel.stats.streams).toBeLessThanOrEqual(limits.maxStreams)
        }
        await turns(3)
        if (client.closed === undefined) expect(server.tunnels).toHaveLength(1)
        else expect(client.abortCode ?? client.closed).toMatch(/[a-z]+-[a-z]+|flood|aborted|tunnel-closed/)
        await server.close('now')
      }),
      { numRuns: 150 },
    )
  }, 15_000)

  it('in the handshake are answered with a code', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const client = new RawClient(victim())
        await client.nonce()
        client.carrier.send([Buffer.from(bytes)])
        await expect(client.answer()).rejects.toMatchObject({ code: expect.stringMatching(/^bad-/) })
      }),
      { numRuns: 60 },
    )
  })
})
