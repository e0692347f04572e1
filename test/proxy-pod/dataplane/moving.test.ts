import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { responsesIn } from '../support/http-responses.ts'
import { laptop } from '../support/laptop.ts'
import { type Peer, turns } from '../support/peer.ts'
import { Port } from '../support/port.ts'
import { TunnelDouble } from '../support/tunnel-double.ts'

const request = (line: string, headers = ''): string => `${line} HTTP/1.1\r\nhost: orders\r\n${headers}\r\n`
const answer = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`
const sha = (data: string | Buffer): string => createHash('sha1').update(data).digest('hex')

/** Answers each request with its own name, what was asked, and a digest of the body; pads as `?pad=` says. */
async function httpServer(name: string, seen: string[]): Promise<Server> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk) => chunks.push(chunk))
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://x')
      seen.push(url.pathname)
      const text = `${name} ${incoming.method} ${url.pathname} ${sha(Buffer.concat(chunks))} `
      const body = Buffer.from(text.padEnd(text.length + Number(url.searchParams.get('pad') ?? 0), '.'))
      if (!url.searchParams.has('chunked')) response.setHeader('content-length', body.length)
      const half = Math.floor(body.length / 2)
      response.write(body.subarray(0, half))
      setImmediate(() => response.end(body.subarray(half)))
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** A client that has had one answer of the laptop on its connection. */
async function keptAlive(port: Port, tunnel: TunnelDouble): Promise<Peer> {
  tunnel.laptop = (stream) => stream.accepts()
  const client = (await port.dial()).write(request('GET /1'))
  const stream = await tunnel.stream()
  await stream.until(({ text }) => text.endsWith('\r\n\r\n'))
  stream.says(answer('laptop'))
  return client.got(answer('laptop'))
}

describe('a kept-alive HTTP/1.1 connection', () => {
  test('goes to the origin when the Intercept ends, and back to the laptop with the next one', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = await keptAlive(port, tunnel)
    port.claimFor(undefined)
    client.write(request('GET /2'))
    const origin = await (await port.origin.peer()).got(request('GET /2'))
    expect(tunnel.streams[0]?.ended).toBe(true)
    origin.write(answer('origin'))
    await client.got(answer('laptop') + answer('origin'))
    port.claimFor(tunnel)
    await origin.until(({ ended }) => ended)
    client.write(request('GET /3'))
    const stream = await tunnel.stream(1)
    await stream.until(({ text }) => text === request('GET /3'))
    stream.says(answer('laptop again'))
    await client.got(answer('laptop') + answer('origin') + answer('laptop again'))
  })

  test('stays where it is in the middle of an exchange, and moves after it', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = await keptAlive(port, tunnel)
    const stream = await tunnel.stream()
    client.write(request('POST /2', 'content-length: 4\r\n')).write('ab')
    await stream.until(({ text }) => text.endsWith('ab'))
    port.claimFor(undefined)
    client.write('cd')
    await stream.until(({ text }) => text.endsWith('abcd'))
    stream.says('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nfi')
    await turns()
    expect(port.origin.peers).toHaveLength(0)
    stream.says('nish')
    await port.origin.peer()
    client.write(request('GET /3'))
    await (await port.origin.peer()).got(request('GET /3'))
    expect(stream.text).toBe(`${request('GET /1') + request('POST /2', 'content-length: 4\r\n')}abcd`)
  })

  test('stays while a request has begun that nobody answered yet', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = await keptAlive(port, tunnel)
    client.write('GET /2 HT')
    await (await tunnel.stream()).until(({ text }) => text.endsWith('GET /2 HT'))
    port.claimFor(undefined)
    await turns()
    expect(port.origin.peers).toHaveLength(0)
    expect(client.closed).toBe(false)
  })

  test('that became a WebSocket never moves', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = await keptAlive(port, tunnel)
    const stream = await tunnel.stream()
    client.write(request('GET /chat', 'connection: upgrade\r\nupgrade: websocket\r\n'))
    await stream.until(({ text }) => text.includes('websocket'))
    stream.says('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    port.claimFor(undefined)
    client.write('frame')
    await stream.until(({ text }) => text.endsWith('frame'))
    expect(port.origin.peers).toHaveLength(0)
  })

  test.each([
    ['asked for by the client', request('GET /2', 'connection: close\r\n'), answer('bye')],
    ['told by the server', request('GET /2'), answer('bye').replace('\r\n', '\r\nConnection: Close\r\n')],
    ['as HTTP/1.0 does', 'GET /2 HTTP/1.0\r\n\r\n', answer('bye')],
  ])('whose end is near ends, though the Intercept ends first: %s', async (_name, asked, answered) => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = await keptAlive(port, tunnel)
    const stream = await tunnel.stream()
    client.write(asked)
    await stream.until(({ text }) => text.endsWith(asked))
    port.claimFor(undefined)
    stream.says(answered).ends()
    await client.until(({ ended }) => ended)
    expect(client.text).toBe(answer('laptop') + answered)
  })

  test('that the local process has closed is closed for the client too', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = await keptAlive(port, tunnel)
    const stream = await tunnel.stream()
    stream.ends()
    port.claimFor(undefined)
    await client.until(({ ended }) => ended)
    await turns()
    expect(port.origin.peers).toHaveLength(0)
  })

  test('stays with the laptop while that is about to accept, though the Intercept ends', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = (await port.dial()).write(request('POST /1', 'content-length: 0\r\n'))
    const stream = await tunnel.stream()
    await stream.until(({ received }) => received.length > 0)
    port.claimFor(undefined)
    await turns()
    stream.accepts().says(answer('laptop'))
    await client.got(answer('laptop'))
    client.write(request('GET /2'))
    await (await port.origin.peer()).got(request('GET /2'))
  })

  test('goes back to a laptop that refused it, but not sooner than after a second', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.refuses()
    const port = await Port.open({ tunnel })
    const client = (await port.dial()).write(request('GET /1'))
    const origin = await (await port.origin.peer()).got(request('GET /1'))
    origin.write(answer('1'))
    await client.got(answer('1'))
    client.write(request('GET /2'))
    await origin.got(request('GET /1') + request('GET /2'))
    expect(tunnel.streams).toHaveLength(1)
    vi.advanceTimersByTime(1_001)
    tunnel.laptop = (stream) => stream.accepts()
    origin.write(answer('2'))
    await client.got(answer('1') + answer('2'))
    client.write(request('GET /3'))
    await (await tunnel.stream(1)).until(({ text }) => text === request('GET /3'))
  })
})

describe('a laptop that is lost before it answered', () => {
  /** One request that the laptop accepted; then its tunnel goes down for longer than one waits. */
  async function lost(asked: string, options: { onLocalDown?: 'fail'; answered?: string } = {}) {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.accepts()
    const port = await Port.open({ tunnel, ...(options.onLocalDown ? { onLocalDown: options.onLocalDown } : {}) })
    const client = (await port.dial()).write(asked)
    const stream = await tunnel.stream()
    await stream.until(({ text }) => text === asked)
    if (options.answered) stream.says(options.answered)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    tunnel.state = 'down'
    port.tunnelChanged()
    return { tunnel, port, client, stream }
  }

  test.each(['GET', 'HEAD', 'OPTIONS'])('the origin is asked instead: %s', async (method) => {
    const asked = request(`${method} /1`)
    const { port, client, stream } = await lost(asked)
    vi.advanceTimersByTime(1_999)
    await turns()
    expect(port.origin.peers).toHaveLength(0)
    vi.advanceTimersByTime(2)
    const origin = await (await port.origin.peer()).got(asked)
    expect(stream.resetCode).toBe('client-reset')
    origin.write(answer('origin'))
    await client.got(answer('origin'))
    expect(port.counts.failOpens).toEqual(['the laptop was lost before it answered'])
  })

  test('and its session is given up: the origin is asked at once', async () => {
    const { port, stream } = await lost(request('GET /1'))
    stream.resets('session-lost')
    await (await port.origin.peer()).got(request('GET /1'))
  })

  test('but comes back in time: nothing happens', async () => {
    const { tunnel, port, client, stream } = await lost(request('GET /1'))
    vi.advanceTimersByTime(1_500)
    tunnel.state = 'up'
    port.tunnelChanged()
    vi.advanceTimersByTime(5_000)
    stream.says(answer('laptop'))
    await client.got(answer('laptop'))
    expect(port.origin.peers).toHaveLength(0)
  })

  test.each([
    ['a POST', request('POST /1', 'content-length: 2\r\n').concat('ab'), {}],
    ['two requests at once', request('GET /1') + request('GET /2'), {}],
    ['a request that is not complete', 'GET /1 HTTP/1.1\r\nhost: x\r\n', {}],
    ['an answer that has begun', request('GET /1'), { answered: 'HTTP/1.1 200 OK\r\n' }],
    ['another protocol', 'SELECT 1;', {}],
    ['a team that wants to see failures', request('GET /1'), { onLocalDown: 'fail' }],
  ] as const)('nothing is repeated: %s', async (_name, asked, options) => {
    const { port, client, stream } = await lost(asked, options)
    vi.advanceTimersByTime(10_000)
    await turns()
    expect(port.origin.peers).toHaveLength(0)
    expect(client.closed).toBe(false)
    stream.resets('session-lost')
    await client.until(({ closed }) => closed)
    expect(client.failure).toBe('ECONNRESET')
    expect(port.origin.peers).toHaveLength(0)
  })

  test('a client that has gone meanwhile asks nobody', async () => {
    const { port, client, stream } = await lost(request('GET /1'))
    client.reset()
    await stream.until(({ resetCode }) => resetCode !== undefined)
    vi.advanceTimersByTime(10_000)
    await turns()
    expect(port.origin.peers).toHaveLength(0)
  })

  test('a request that was repeated follows the laptop again afterwards', async () => {
    const { tunnel, port, client } = await lost(request('GET /1'))
    vi.advanceTimersByTime(2_001)
    const origin = await (await port.origin.peer()).got(request('GET /1'))
    tunnel.state = 'up'
    port.tunnelChanged()
    origin.write(answer('origin'))
    await tunnel.stream(1)
    client.write(request('GET /2'))
    await (await tunnel.stream(1)).until(({ text }) => text === request('GET /2'))
  })
})

afterEach(() => {
  vi.useRealTimers()
})

const exchange = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'),
  body: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 60_000, max: 140_000 })),
  chunkedRequest: fc.boolean(),
  chunkedAnswer: fc.boolean(),
  pad: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 90_000 })),
  /** Where the bytes are cut, as fractions. */
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
  /** After which piece the Intercept begins or ends. */
  toggles: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 2 }),
  pipelined: fc.boolean(),
})
type Exchange = typeof exchange extends fc.Arbitrary<infer T> ? T : never

function wire(
  { method, body, chunkedRequest, chunkedAnswer, pad }: Exchange,
  number: number,
): { bytes: Buffer; sum: string } {
  const payload = method === 'GET' || method === 'HEAD' ? '' : 'p'.repeat(body)
  const target = `/${number}?pad=${pad}${chunkedAnswer && method !== 'HEAD' ? '&chunked' : ''}`
  const framed =
    payload === ''
      ? request(`${method} ${target}`, method === 'GET' || method === 'HEAD' ? '' : 'content-length: 0\r\n')
      : chunkedRequest
        ? `${request(`${method} ${target}`, 'transfer-encoding: chunked\r\n')}${payload.length.toString(16)}\r\n${payload}\r\n0\r\n\r\n`
        : `${request(`${method} ${target}`, `content-length: ${payload.length}\r\n`)}${payload}`
  return { bytes: Buffer.from(framed), sum: sha(payload) }
}

test('whatever is asked, however it is cut, whenever the Intercept begins and ends: one whole answer to each', async () => {
  const seen: string[] = []
  const [origin, local] = await Promise.all([httpServer('origin', seen), httpServer('laptop', seen)])
  const tunnel = await laptop(portOf(local))
  const port = await Port.open({ endpoints: [{ address: '127.0.0.1', port: portOf(origin) }] })
  const answeredBy = { origin: 0, laptop: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(exchange, { minLength: 1, maxLength: 6 }), fc.boolean(), async (exchanges, begins) => {
      seen.length = 0
      let claimed = begins
      const toggle = (): void => {
        claimed = !claimed
        port.claimFor(claimed ? tunnel : undefined)
      }
      port.claimFor(claimed ? tunnel : undefined)
      const client = await port.dial()
      const wired = exchanges.map(wire)
      const methods = exchanges.map(({ method }) => method)
      const answered = (count: number) => (self: Peer) =>
        self.closed || responsesIn(self.bytes, methods).length >= count
      for (const [number, { bytes }] of wired.entries()) {
        const spec = exchanges[number] as Exchange
        const cuts = [...new Set(spec.cuts.map((cut) => Math.floor(cut * bytes.length)))].sort((a, b) => a - b)
        const edges = [0, ...cuts, bytes.length]
        for (let piece = 0; piece + 1 < edges.length; piece += 1) {
          client.write(bytes.subarray(edges[piece], edges[piece + 1]))
          if (spec.toggles.includes(piece)) toggle()
          await turns(piece % 3)
          if (spec.toggles.includes(piece + 3)) toggle()
        }
        if (!spec.pipelined) await client.until(answered(number + 1))
      }
      await client.until(answered(wired.length))
      expect(client.failure).toBeUndefined()
      const responses = responsesIn(client.bytes, methods)
      expect(responses).toHaveLength(wired.length)
      for (const [number, { body }] of responses.entries()) {
        const spec = exchanges[number] as Exchange
        if (spec.method === 'HEAD') continue
        const [by, ...said] = body.toString('latin1').split(' ')
        expect(said.slice(0, 3)).toEqual([spec.method, `/${number}`, wired[number]?.sum])
        expect(said[3]).toBe('.'.repeat(spec.pad))
        answeredBy[by as 'origin' | 'laptop'] += 1
      }
      expect(seen).toEqual(wired.map((_one, number) => `/${number}`))
      client.reset()
    }),
    { numRuns: 40 },
  )
  expect(Math.min(answeredBy.origin, answeredBy.laptop)).toBeGreaterThan(10)
}, 30_000)
