import { describe, expect, it } from 'vitest'
import { RecordedStream } from './support/recorded-stream.ts'
import { tunnelPair } from './support/tunnel-pair.ts'

describe.each(['memory', 'web-socket'] as const)('a tunnel over %s carriers', (transport) => {
  it('carries a stream both ways, half-closed one after the other', async () => {
    const pair = await tunnelPair({ transport, limits: { lanes: 3 } })
    await pair.client.became('up')
    const server = await pair.server
    pair.client.onStream = (stream) => {
      const echo = new RecordedStream(stream)
      stream.accept()
      void echo
        .until(({ ended }) => ended)
        .then(() => {
          stream.write(Buffer.from(`echo ${echo.text}`))
          stream.end()
        })
    }
    const caller = new RecordedStream(server.tunnel.open({ port: 80 }))
    caller.stream.write(Buffer.from('hello '))
    caller.stream.write(Buffer.from('there'))
    caller.stream.end()
    await caller.until(({ ended }) => ended)
    expect(caller.text).toBe('echo hello there')
    expect(caller.events).toEqual(['accept', 'end'])
    expect(server.tunnel.stats).toMatchObject({ streams: 0, bytesIn: 16, bytesOut: 11 })
    await pair.close()
  })
})
