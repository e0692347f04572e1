import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { duplexOf } from '../../src/tunnel/index.ts'
import { bytesFrom, turns } from './support/bytes.ts'
import { RecordedStream } from './support/recorded-stream.ts'
import { type TunnelPair, tunnelPair } from './support/tunnel-pair.ts'

let pair: TunnelPair | undefined
afterEach(async () => {
  await pair?.close()
})

describe('duplexOf', () => {
  it('is a Duplex: pipes, ends, and pushes back', async () => {
    pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => {
      const echo = duplexOf(stream)
      void pipeline(echo, echo)
    }
    const duplex = duplexOf(server.tunnel.open({}))
    const sent = Array.from({ length: 80 }, (_, index) => bytesFrom(index, 0, 50_000))
    const received: Buffer[] = []
    const reading = (async () => {
      for await (const chunk of duplex) received.push(chunk as Buffer)
    })()
    await pipeline(Readable.from(sent), duplex, { end: true })
    await reading
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true)
    await turns(3)
    expect(server.tunnel.stats.streams).toBe(0)
  })

  it('is destroyed with the code of a reset or a refusal', async () => {
    pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => {
      if (stream.header.refuse) stream.refuse('busy', 'later')
      else stream.reset('ECONNRESET')
    }
    for (const [refuse, code] of [
      [true, 'busy'],
      [false, 'ECONNRESET'],
    ] as const) {
      const duplex = duplexOf(server.tunnel.open({ refuse }))
      const error = await new Promise((resolve) => duplex.once('error', resolve))
      expect(error).toMatchObject({ code })
    }
  })

  it('resets its stream when it is destroyed', async () => {
    pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    const remote: RecordedStream[] = []
    pair.client.onStream = (stream) => {
      stream.accept()
      remote.push(new RecordedStream(stream))
    }
    const duplex = duplexOf(server.tunnel.open({}))
    duplex.write('hello')
    await turns(3)
    duplex.destroy()
    while (!remote[0]) await turns(1)
    await remote[0].until(({ events }) => events.includes('reset'))
    expect(remote[0].code).toBe('destroyed')
  })
})
