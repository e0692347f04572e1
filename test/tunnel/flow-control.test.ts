import { describe, expect, it } from 'vitest'
import { FrameType } from '../../src/tunnel/frame.ts'
import { FrameDecoder } from '../../src/tunnel/frame-decoder.ts'
import { tunnelLimits } from '../../src/tunnel/limits.ts'
import { Mux } from '../../src/tunnel/mux.ts'
import { Outbox } from '../../src/tunnel/outbox.ts'
import { PacketBuilder } from '../../src/tunnel/packet-builder.ts'
import { TunnelTotals } from '../../src/tunnel/totals.ts'
import { bytesFrom, turn, turns } from './support/bytes.ts'
import { RecordedStream, writeAll } from './support/recorded-stream.ts'
import { tunnelPair } from './support/tunnel-pair.ts'

describe('back-pressure', () => {
  it('stops a writer whose reader does not read, with no more than the windows in memory', async () => {
    const pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    let reader: RecordedStream | undefined
    pair.client.onStream = (stream) => {
      stream.accept()
      reader = new RecordedStream(stream, { hold: true, keep: false })
    }
    const writer = new RecordedStream(server.tunnel.open({}))
    let written = 0
    while (writer.stream.write(bytesFrom(1, written, 10_000))) {
      written += 10_000
      if (written % 100_000 === 0) await turn()
      expect(written).toBeLessThan(2_000_000)
    }
    await turns(20)
    expect(reader?.bytes).toBe(tunnelLimits.streamWindowBytes)
    expect(written).toBeLessThanOrEqual(tunnelLimits.streamWindowBytes + tunnelLimits.streamQueueBytes)
    reader?.release()
    await writer.until(({ drains }) => drains === 1)
    await pair.close()
  })

  it('lets a window grow for a fast reader, and gives the room back afterwards', async () => {
    const pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    const readers: RecordedStream[] = []
    pair.client.onStream = (stream) => {
      stream.accept()
      readers.push(new RecordedStream(stream, { keep: false }))
    }
    const writer = new RecordedStream(server.tunnel.open({}))
    const total = 20_000_000
    const block = bytesFrom(3, 0, 100_000)
    await writeAll(
      writer,
      Array.from({ length: total / block.length }, () => block),
    )
    writer.stream.end()
    await readers[0]?.until(({ ended }) => ended)
    expect(readers[0]?.bytes).toBe(total)
    readers[0]?.stream.end()
    await writer.until(({ ended }) => ended)
    expect(pair.client.tunnel.stats.streams).toBe(0)
    await pair.close()
  })

  it('does not let one stalled reader hold up the others', async () => {
    const pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    const readers: RecordedStream[] = []
    pair.client.onStream = (stream) => {
      stream.accept()
      readers.push(new RecordedStream(stream, { hold: stream.header.slow === true, keep: false }))
    }
    const slow = new RecordedStream(server.tunnel.open({ slow: true }))
    slow.stream.write(Buffer.alloc(1_000_000))
    const quick = new RecordedStream(server.tunnel.open({}))
    await writeAll(
      quick,
      Array.from({ length: 30 }, () => Buffer.alloc(100_000)),
    )
    quick.stream.end()
    while (!readers[1]?.ended) await turn()
    expect(readers[1]?.bytes).toBe(3_000_000)
    await pair.close()
  })

  it('keeps the queues of many stalled streams small together', async () => {
    const pair = await tunnelPair({ limits: { laneQueueBytes: 300_000 } })
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => {
      stream.accept()
      new RecordedStream(stream, { hold: true, keep: false })
    }
    let written = 0
    for (let index = 0; index < 40; index += 1) {
      const { stream } = new RecordedStream(server.tunnel.open({ index }))
      for (let more = true; more; written += 5_000) more = stream.write(Buffer.alloc(5_000))
    }
    expect(written).toBeLessThan(300_000 + 256 * 1_024 + 40 * 25_000)
    await pair.close()
  })
})

function muxOf(): { mux: Mux; frames: () => { type: FrameType; stream: number; bytes: number }[] } {
  const mux = new Mux({
    side: 'server',
    limits: tunnelLimits,
    peer: { maxStreams: 100, streamWindowBytes: 10_000_000, headerBytes: 4_096 },
    totals: new TunnelTotals(),
    wake: () => undefined,
    sendNow: () => false,
    stalled: () => false,
    roundTripMs: () => 1,
    onStream: () => undefined,
    onGoAway: () => undefined,
    onFlood: () => undefined,
    onStreamOver: () => undefined,
  })
  const frames = () => {
    const packet = new PacketBuilder()
    packet.begin(0)
    mux.fill(packet, tunnelLimits.packetBytes, { bytes: tunnelLimits.frameBytes, aloneBytes: 64 * 1_024 })
    const seen: { type: FrameType; stream: number; bytes: number }[] = []
    const decoder = new FrameDecoder(
      { onFrame: (type, stream, payload) => seen.push({ type, stream, bytes: payload.length }) },
      tunnelLimits,
    )
    for (const chunk of packet.finish()) decoder.push(chunk)
    return seen
  }
  return { mux, frames }
}

describe('fairness', () => {
  it('sends a small stream’s data after at most one frame of each bulk stream', () => {
    const { mux, frames } = muxOf()
    const bulk = [0, 1].map((index) => mux.open({ index }))
    for (const stream of bulk) stream.write(Buffer.alloc(2_000_000))
    frames()
    const small = mux.open({ small: true })
    small.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    const sent: { stream: number; type: FrameType; bytes: number }[] = []
    while (!sent.some(({ stream, type }) => stream === small.id && type === FrameType.Data)) sent.push(...frames())
    const data = sent.filter(({ type }) => type === FrameType.Data)
    const before = data.findIndex(({ stream }) => stream === small.id)
    expect(before).toBeLessThanOrEqual(2)
    expect(Math.max(...data.map(({ bytes }) => bytes))).toBeLessThanOrEqual(32 * 1_024)
  })

  it('sends control frames before any data', () => {
    const { mux, frames } = muxOf()
    const bulk = mux.open({})
    bulk.write(Buffer.alloc(2_000_000))
    frames()
    const other = mux.open({})
    other.write(Buffer.from('x'))
    other.reset('no-longer')
    const kinds = frames().map(({ type }) => type)
    expect(kinds.slice(0, 3)).toEqual([FrameType.Open, FrameType.Reset, FrameType.Data])
  })

  it('gives datagrams a turn between data, and drops what is too much', () => {
    const outbox = new Outbox({ ...tunnelLimits, datagramQueueBytes: 3_000 })
    for (let index = 0; index < 10; index += 1) outbox.datagram(7, Buffer.alloc(1_000))
    let sent = 0
    const bulk = {
      id: 1,
      grant: () => 0,
      emit: (packet: PacketBuilder) => {
        packet.frame(FrameType.Data, 1, 10)
        packet.bytes(Buffer.alloc(10))
        return true
      },
    }
    outbox.ready(bulk)
    const packet = new PacketBuilder()
    packet.begin(0)
    outbox.fill(packet, 5_000, { bytes: 16_384, aloneBytes: 16_384 })
    const order: FrameType[] = []
    const decoder = new FrameDecoder(
      {
        onFrame: (type) => {
          order.push(type)
          if (type === FrameType.Datagram) sent += 1
        },
      },
      tunnelLimits,
    )
    for (const chunk of packet.finish()) decoder.push(chunk)
    expect(sent).toBe(3)
    expect(order.slice(0, 4)).toEqual([FrameType.Datagram, FrameType.Data, FrameType.Datagram, FrameType.Data])
  })

  it('answers small requests during a bulk transfer on the same lane', async () => {
    const pair = await tunnelPair({ limits: { lanes: 1 } })
    await pair.client.became('up')
    const server = await pair.server
    let bulkBytes = 0
    pair.client.onStream = (stream) => {
      stream.accept()
      if (stream.header.bulk) {
        stream.handle({
          onData: (chunk) => {
            bulkBytes += chunk.length
            stream.consumed(chunk.length)
          },
          onEnd: () => undefined,
          onReset: () => undefined,
          onDrain: () => undefined,
        })
      } else new RecordedStream(stream).until(({ bytes }) => bytes > 0).then(() => stream.write(Buffer.from('pong')))
    }
    const bulk = new RecordedStream(server.tunnel.open({ bulk: true }))
    let stop = false
    const pump = (async () => {
      while (!stop) await writeAll(bulk, [Buffer.alloc(64 * 1_024)])
    })()
    while (bulkBytes < 2_000_000) await turn()
    for (let index = 0; index < 5; index += 1) {
      const from = bulkBytes
      const small = new RecordedStream(server.tunnel.open({}))
      small.stream.write(Buffer.from('ping'))
      await small.until(({ bytes }) => bytes === 4)
      expect(bulkBytes - from).toBeLessThan(tunnelLimits.replayBytes)
      small.stream.reset()
    }
    stop = true
    bulk.stream.reset()
    await Promise.race([pump, turns(50)])
    await pair.close()
  })
})
