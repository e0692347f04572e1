import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Exchange, ExchangeTracker } from '../../src/http/exchange-tracker.ts'

const request = (head: string, body = ''): Buffer => Buffer.from(`${head.split('\n').join('\r\n')}\r\n\r\n${body}`)

describe('a plain exchange', () => {
  test('is idle before, busy during, idle after', () => {
    const tracker = new ExchangeTracker()
    expect(tracker.isIdle).toBe(true)
    tracker.fromClient(request('GET /a HTTP/1.1\nhost: x'))
    expect(tracker.isIdle).toBe(false)
    tracker.fromUpstream(request('HTTP/1.1 200 OK\ncontent-length: 5', 'he'))
    expect(tracker.isIdle).toBe(false)
    tracker.fromUpstream(Buffer.from('llo'))
    expect(tracker.isIdle).toBe(true)
  })

  test('a request whose body is not complete is not over, though it is answered', () => {
    const tracker = new ExchangeTracker()
    tracker.fromClient(request('POST /a HTTP/1.1\ncontent-length: 10', '12345'))
    tracker.fromUpstream(request('HTTP/1.1 413 Too Large\ncontent-length: 0'))
    expect(tracker.isIdle).toBe(false)
    tracker.fromClient(Buffer.from('67890'))
    expect(tracker.isIdle).toBe(true)
  })

  test('chunked bodies and trailers', () => {
    const tracker = new ExchangeTracker()
    tracker.fromClient(request('GET / HTTP/1.1'))
    tracker.fromUpstream(request('HTTP/1.1 200 OK\ntransfer-encoding: chunked', '5\r\nhello\r\n0\r\nx-sum: 1\r\n'))
    expect(tracker.isIdle).toBe(false)
    tracker.fromUpstream(Buffer.from('\r\n'))
    expect(tracker.isIdle).toBe(true)
  })

  test.each(['HEAD', 'GET'])('204, 304 and the answer to HEAD have no body (%s)', (method) => {
    const tracker = new ExchangeTracker()
    tracker.fromClient(request(`${method} / HTTP/1.1`))
    tracker.fromUpstream(
      request(
        method === 'HEAD' ? 'HTTP/1.1 200 OK\ncontent-length: 100' : 'HTTP/1.1 304 Not Modified\ncontent-length: 100',
      ),
    )
    expect(tracker.isIdle).toBe(true)
  })

  test('100 and 103 are not the answer', () => {
    const tracker = new ExchangeTracker()
    tracker.fromClient(request('POST / HTTP/1.1\nexpect: 100-continue\ncontent-length: 1'))
    tracker.fromUpstream(request('HTTP/1.1 100 Continue'))
    tracker.fromClient(Buffer.from('x'))
    expect(tracker.isIdle).toBe(false)
    tracker.fromUpstream(request('HTTP/1.1 200 OK\ncontent-length: 0'))
    expect(tracker.isIdle).toBe(true)
  })

  test('pipelined requests are all to be answered', () => {
    const tracker = new ExchangeTracker()
    tracker.fromClient(Buffer.concat([request('GET /1 HTTP/1.1'), request('GET /2 HTTP/1.1')]))
    tracker.fromUpstream(request('HTTP/1.1 200 OK\ncontent-length: 0'))
    expect(tracker.isIdle).toBe(false)
    tracker.fromUpstream(request('HTTP/1.1 200 OK\ncontent-length: 0'))
    expect(tracker.isIdle).toBe(true)
  })
})

describe('what is not plainly HTTP/1.1 is opaque', () => {
  test.each([
    ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000'],
    ['an upgrade', 'GET /ws HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
    ['CONNECT', 'CONNECT x:443 HTTP/1.1\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['length with chunked', 'POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['a bad chunk size', 'POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
  ])('%s', (_name, bytes) => {
    const tracker = new ExchangeTracker()
    tracker.fromClient(Buffer.from(bytes, 'latin1'))
    expect(tracker.isOpaque).toBe(true)
    expect(tracker.isIdle).toBe(false)
  })

  test('a server that speaks first', () => {
    const tracker = new ExchangeTracker()
    tracker.fromUpstream(Buffer.from('220 mail ready\r\n'))
    expect(tracker.isIdle).toBe(false)
  })

  test('a response that ends with its connection', () => {
    const tracker = new ExchangeTracker()
    tracker.fromClient(request('GET / HTTP/1.1'))
    tracker.fromUpstream(request('HTTP/1.1 200 OK\nconnection: close', 'some'))
    expect(tracker.isOpaque).toBe(true)
  })
})

test('finds the same exchanges however the bytes are split', () => {
  const exchange = fc.record({
    method: fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE'),
    up: fc.string({ maxLength: 30 }),
    down: fc.string({ maxLength: 30 }),
    chunked: fc.boolean(),
    status: fc.constantFrom(200, 204, 404, 304),
  })
  const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
    const parts: Buffer[] = []
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 1)
      parts.push(bytes.subarray(at, at + size))
      at += size
    }
    return parts
  }
  fc.assert(
    fc.property(
      fc.array(exchange, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (all, sizes) => {
        const seen: Exchange[] = []
        const tracker = new ExchangeTracker((one) => seen.push(one))
        for (const [index, { method, up, down, chunked, status }] of all.entries()) {
          expect(tracker.isIdle).toBe(true)
          const body = Buffer.from(up)
          for (const part of cut(
            Buffer.concat([request(`${method} /${index} HTTP/1.1\ncontent-length: ${body.length}`), body]),
            sizes,
          )) {
            tracker.fromClient(part)
          }
          expect(tracker.isIdle).toBe(false)
          const answer = Buffer.from(down)
          const hasBody = method !== 'HEAD' && status !== 204 && status !== 304
          const framed = !hasBody
            ? request(`HTTP/1.1 ${status} X\ncontent-length: ${answer.length}`)
            : chunked
              ? Buffer.concat([
                  request(`HTTP/1.1 ${status} X\ntransfer-encoding: chunked`),
                  ...(answer.length > 0
                    ? [Buffer.from(`${answer.length.toString(16)}\r\n`), answer, Buffer.from('\r\n')]
                    : []),
                  Buffer.from('0\r\n\r\n'),
                ])
              : Buffer.concat([request(`HTTP/1.1 ${status} X\ncontent-length: ${answer.length}`), answer])
          for (const part of cut(framed, sizes)) tracker.fromUpstream(part)
        }
        expect(tracker.isIdle).toBe(true)
        expect(seen.map(({ method, target, status }) => [method, target, status])).toEqual(
          all.map(({ method, status }, index) => [method, `/${index}`, status]),
        )
      },
    ),
    { numRuns: 300 },
  )
})
