import { once } from 'node:events'
import { createServer } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mayBeTls, readClientHello } from '../../../proxy-pod/dataplane/tls-client-hello.ts'

/** What Node's own client says first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  client.on('error', () => undefined)
  const [socket] = await once(server, 'connection')
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk])
    if (bytes.length >= 5 + bytes.readUInt16BE(3)) break
  }
  client.destroy()
  server.close()
  return bytes
}

const hello = await helloOf({ servername: 'orders.shop.svc', ALPNProtocols: ['h2', 'http/1.1'] })

/** The same message in records of so many bytes. */
function inRecords(bytes: Buffer, size: number): Buffer {
  const message = bytes.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size)
    records.push(Buffer.from([0x16, 0x03, 0x01, piece.length >> 8, piece.length & 0xff]), piece)
  }
  return Buffer.concat(records)
}

describe('a ClientHello', () => {
  test('tells the host and the protocols', () => {
    expect(readClientHello(hello)).toEqual({ servername: 'orders.shop.svc', protocols: ['h2', 'http/1.1'] })
  })

  test.each<ConnectionOptions>([{ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }, {}])(
    'of %j, that tells nothing',
    async (options) => {
      expect(readClientHello(await helloOf(options))).toEqual({ servername: undefined, protocols: [] })
    },
  )

  test('is incomplete at every byte before its end, and whole with what comes behind it', () => {
    for (let length = 0; length < hello.length; length += 1) {
      expect(readClientHello(hello.subarray(0, length))).toBe('incomplete')
    }
    const early = Buffer.concat([hello, Buffer.from([0x14, 0x03, 0x03, 0, 1, 1])])
    expect(readClientHello(early)).toEqual(readClientHello(hello))
  })

  test.each([1, 3, 4, 5, 100])('in records of %i bytes', (size) => {
    const bytes = inRecords(hello, size)
    expect(readClientHello(bytes)).toEqual(readClientHello(hello))
    expect(readClientHello(bytes.subarray(0, -1))).toBe('incomplete')
  })

  test('that never ends is given up', () => {
    const endless = inRecords(
      Buffer.concat([Buffer.alloc(5), Buffer.from([1, 0xff, 0xff, 0xff]), Buffer.alloc(70_000)]),
      16_000,
    )
    expect(readClientHello(endless)).toBe('other')
  })
})

test('what is none is told apart at once', () => {
  for (const text of ['GET / HTTP/1.1\r\n', 'SSH-2.0-x\r\n', '\x15\x03\x01\x00\x02\x02\x28']) {
    expect(readClientHello(Buffer.from(text, 'latin1'))).toBe('other')
    expect(mayBeTls(Buffer.from(text, 'latin1'))).toBe(false)
  }
  expect(readClientHello(Buffer.from([0x16, 0x03, 0x01, 0, 4, 2, 0, 0, 0]))).toBe('other')
})

test('whatever is changed in it, it is read or refused, and never past its end', () => {
  fc.assert(
    fc.property(fc.nat(hello.length - 1), fc.nat(255), (at, value) => {
      const changed = Buffer.from(hello)
      changed[at] = value
      const read = readClientHello(changed)
      expect(['object', 'string']).toContain(typeof read)
      if (typeof read === 'object') for (const name of read.protocols) expect(name.length).toBeLessThan(256)
    }),
    { numRuns: 2_000 },
  )
})
