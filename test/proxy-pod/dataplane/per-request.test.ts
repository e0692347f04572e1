import fc from 'fast-check'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { OriginBalancer } from '../../../proxy-pod/dataplane/origin-balancer.ts'
import { filteredClaim } from '../support/claims.ts'
import { type Peer, TcpServer, turns } from '../support/peer.ts'
import { Port } from '../support/port.ts'
import { type StreamDouble, TunnelDouble } from '../support/tunnel-double.ts'

const request = (line: string, headers = ''): string => `${line} HTTP/1.1\r\nhost: orders\r\n${headers}\r\n`
const answer = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`

async function open(claim: Parameters<typeof filteredClaim>[1] = {}): Promise<{ port: Port; tunnel: TunnelDouble }> {
  const tunnel = new TunnelDouble()
  tunnel.laptop = (stream) => stream.accepts()
  return { port: await Port.open({ claims: [filteredClaim(tunnel, claim)] }), tunnel }
}

const asked = (stream: StreamDouble, text: string) => stream.until((self) => self.text === text)

/** A client with one answer of the origin on its connection. */
async function keptAlive(port: Port): Promise<{ client: Peer; origin: Peer }> {
  const client = (await port.dial()).write(request('GET /first'))
  const origin = await (await port.origin.peer()).got(request('GET /first'))
  origin.write(answer('first'))
  return { client: await client.got(answer('first')), origin }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('each request of a connection goes its own way', () => {
  test('to the laptop or to the origin, over one upstream of each', async () => {
    const { port, tunnel } = await open()
    const { client, origin } = await keptAlive(port)
    client.write(request('GET /mine/1'))
    const stream = await asked(await tunnel.stream(), request('GET /mine/1'))
    stream.says(answer('laptop'))
    await client.got(answer('first') + answer('laptop'))
    client.write(request('GET /2'))
    await origin.got(request('GET /first') + request('GET /2'))
    origin.write(answer('2'))
    await client.got(answer('first') + answer('laptop') + answer('2'))
    client.write(request('GET /mine/2'))
    await asked(stream, request('GET /mine/1') + request('GET /mine/2'))
    expect(tunnel.streams).toHaveLength(1)
    expect(port.origin.peers).toHaveLength(1)
    expect(port.counts.upstreams).toEqual(['origin', 'laptop'])
  })

  test('byte for byte: order, case and repetition of fields, an odd method, trailers both ways', async () => {
    const { port } = await open()
    const head =
      'M-SEARCH /a?b=%20 HTTP/1.1\r\nX-b: 2\r\nHOST: orders\r\nx-B:1  \r\nTransfer-encoding: Chunked\r\nTrailer: T\r\n\r\n'
    const body = '3;ext="v"\r\nabc\r\n00\r\nT: v\r\n\r\n'
    const client = (await port.dial()).write(head + body)
    const origin = await (await port.origin.peer()).got(head + body)
    const response =
      'HTTP/1.1 299 \r\nsEt-cookie: a\r\nSet-Cookie: b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: w\r\n\r\n'
    origin.write(response)
    await client.got(response)
    client.write(request('GET /next'))
    await origin.got(head + body + request('GET /next'))
  })

  test('those sent ahead one after the other', async () => {
    const { port, tunnel } = await open()
    const client = (await port.dial()).write(request('GET /1') + request('GET /mine') + request('GET /3')).end()
    const origin = await (await port.origin.peer()).got(request('GET /1'))
    await turns()
    expect(tunnel.streams).toHaveLength(0)
    origin.write(answer('1'))
    const stream = await asked(await tunnel.stream(), request('GET /mine'))
    await turns()
    expect(origin.text).toBe(request('GET /1'))
    stream.says(answer('mine'))
    await origin.got(request('GET /1') + request('GET /3'))
    await origin.until(({ ended }) => ended)
    origin.write(answer('3'))
    await client.got(answer('1') + answer('mine') + answer('3'))
    await client.until(({ closed }) => closed)
    expect(client.failure).toBeUndefined()
  })

  test('hundreds of those sent ahead, with bodies', async () => {
    const { port } = await open()
    const asks = Array.from(
      { length: 400 },
      (_, at) => `${request(`POST /${at}`, 'content-length: 300\r\n')}${'b'.repeat(300)}`,
    )
    const client = (await port.dial()).write(asks.join('')).end()
    const origin = await port.origin.peer()
    let expected = ''
    let answered = ''
    for (const [at, ask] of asks.entries()) {
      expected += ask
      const { length } = expected
      await origin.until((self) => self.length >= length)
      expect(origin.length).toBe(length)
      origin.write(answer(String(at)))
      answered += answer(String(at))
    }
    await client.got(answered)
    expect(origin.text).toBe(expected)
    await client.until(({ closed }) => closed)
    expect(client.failure).toBeUndefined()
  })

  test('as the claims of its moment say; one under way ends where it began', async () => {
    const { port, tunnel } = await open()
    const { client, origin } = await keptAlive(port)
    client.write(request('GET /mine/1'))
    const stream = await asked(await tunnel.stream(), request('GET /mine/1'))
    port.setClaims([])
    await turns()
    expect(stream.resetCode).toBeUndefined()
    stream.says(answer('laptop'))
    await client.got(answer('first') + answer('laptop'))
    expect(stream.ended).toBe(true)
    client.write(request('GET /mine/2'))
    await origin.got(request('GET /first') + request('GET /mine/2'))
    origin.write(answer('origin'))
    await client.got(answer('first') + answer('laptop') + answer('origin'))
    port.setClaims([filteredClaim(tunnel)])
    client.write(request('GET /mine/3'))
    await asked(await tunnel.stream(1), request('GET /mine/3'))
  })

  test('one that stays too long with a laptop that no longer holds the port is cut', async () => {
    const { port, tunnel } = await open()
    const client = (await port.dial()).write(request('GET /mine'))
    const stream = await asked(await tunnel.stream(), request('GET /mine'))
    port.setClaims([])
    port.listener.resetLaptopConnections()
    await client.until(({ closed }) => closed)
    expect(stream.resetCode).toBeDefined()
  })

  test('to a workload of the cluster, and without one to the origin', async () => {
    const branch = await new TcpServer().listen()
    onTestFinished(() => branch.close())
    const workload = new OriginBalancer()
    workload.update([branch.endpoint], false)
    const port = await Port.open({ claims: [filteredClaim(undefined, { workload })] })
    const client = (await port.dial()).write(request('GET /mine'))
    const peer = await (await branch.peer()).got(request('GET /mine'))
    peer.write(answer('branch')).end()
    await client.got(answer('branch'))
    workload.update([], false)
    await peer.until(({ closed }) => closed)
    client.write(request('GET /mine'))
    await (await port.origin.peer()).got(request('GET /mine'))
  })

  test('a raw connection between two requests is followed from the moment of a filtered Intercept', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.accepts()
    const port = await Port.open()
    const { client, origin } = await keptAlive(port)
    port.setClaims([filteredClaim(tunnel)])
    client.write(request('GET /mine'))
    const stream = await asked(await tunnel.stream(), request('GET /mine'))
    stream.says(answer('laptop'))
    await client.got(answer('first') + answer('laptop'))
    await origin.until(({ ended }) => ended)
  })

  test('a raw connection in the middle of one is followed after it', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.accepts()
    const port = await Port.open()
    const client = (await port.dial()).write(request('GET /first'))
    const origin = await (await port.origin.peer()).got(request('GET /first'))
    port.setClaims([filteredClaim(tunnel)])
    origin.write(answer('first'))
    await client.got(answer('first'))
    client.write(request('GET /mine'))
    await asked(await tunnel.stream(), request('GET /mine'))
  })
})

describe('the first bytes decide', () => {
  test.each([
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05])],
    ['a line of another protocol', Buffer.from('SELECT 1\r\n')],
    ['an HTTP/1 line that is no request of ours', Buffer.from('get key\r\n')],
  ])('%s goes raw to the origin', async (_name, bytes) => {
    const { port } = await open()
    const client = (await port.dial()).write(bytes)
    const origin = await (await port.origin.peer()).got(bytes.toString('latin1'))
    origin.write('\x00\x01').end()
    await client.got('\x00\x01')
  })

  test('a request line that comes byte by byte', async () => {
    const { port, tunnel } = await open()
    const client = await port.dial()
    for (const byte of request('GET /mine')) {
      client.write(byte)
      await turns(3)
    }
    await asked(await tunnel.stream(), request('GET /mine'))
  })

  test('a client that waits for the server to speak first has the origin', async () => {
    const { port } = await open()
    const client = await port.dial()
    const origin = await port.origin.peer()
    origin.write('220 ready\r\n')
    await client.got('220 ready\r\n')
    client.write(request('GET /mine'))
    await origin.got(request('GET /mine'))
  })

  test('a client that was silent for long and then asks is followed', async () => {
    const { port, tunnel } = await open()
    const client = await port.dial()
    const origin = await port.origin.peer()
    client.write(request('GET /mine'))
    await asked(await tunnel.stream(), request('GET /mine'))
    await origin.until(({ closed, ended }) => closed || ended)
    expect(origin.text).toBe('')
  })
})

describe('messages', () => {
  test('100-continue, 103 and the final response pass as they come', async () => {
    const { port } = await open()
    const head = request('PUT /1', 'expect: 100-continue\r\ncontent-length: 3\r\n')
    const client = (await port.dial()).write(head)
    const origin = await (await port.origin.peer()).got(head)
    const hint = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'
    const go = 'HTTP/1.1 100 Continue\r\n\r\n'
    origin.write(hint + go)
    await client.got(hint + go)
    client.write('abc')
    await origin.got(`${head}abc`)
    origin.write(answer('done'))
    await client.got(hint + go + answer('done'))
  })

  test.each([
    ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n'],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n'],
  ])('%s has no body', async (_name, method, response) => {
    const { port } = await open()
    const client = (await port.dial()).write(request(`${method} /1`))
    const origin = await (await port.origin.peer()).got(request(`${method} /1`))
    origin.write(response)
    await client.got(response)
    client.write(request('GET /2'))
    await origin.got(request(`${method} /1`) + request('GET /2'))
  })

  test.each([
    ['that ends with the connection', request('GET /'), 'HTTP/1.1 200 OK\r\n\r\nuntil the end'],
    ['to HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok'],
    ['to Connection: close', request('GET /', 'connection: close\r\n'), answer('ok')],
    ['with Connection: close', request('GET /'), 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'],
  ])('a response %s is the last', async (_name, head, response) => {
    const { port } = await open()
    const client = (await port.dial()).write(head)
    const origin = await (await port.origin.peer()).got(head)
    origin.write(response).end()
    await client.got(response)
    await client.until(({ ended }) => ended)
    client.end()
    await client.until(({ closed }) => closed)
    expect(client.failure).toBeUndefined()
  })

  test.each([
    [
      'Upgrade',
      request('GET /mine', 'connection: upgrade\r\nupgrade: x\r\n'),
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
    ],
    ['CONNECT', 'CONNECT db:5432 HTTP/1.1\r\nhost: db:5432\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('%s makes pipes of both sides, with the first bytes of both', async (_name, head, response) => {
    const { port, tunnel } = await open({ matches: () => true })
    const client = (await port.dial()).write(`${head}\x01early`)
    const stream = await asked(await tunnel.stream(), head)
    stream.says(`${response}\x02first`)
    await client.got(`${response}\x02first`)
    await asked(stream, `${head}\x01early`)
    client.write('more').end()
    await stream.until(({ ended }) => ended)
    expect(stream.text).toBe(`${head}\x01earlymore`)
    stream.says('last').ends()
    await client.got(`${response}\x02firstlast`)
    await client.until(({ closed }) => closed)
    expect(client.failure).toBeUndefined()
    expect(stream.resetCode).toBeUndefined()
  })

  test('an upgrade that is declined leaves HTTP as it was', async () => {
    const { port } = await open()
    const head = request('GET /1', 'connection: upgrade\r\nupgrade: x\r\n')
    const client = (await port.dial()).write(head + request('GET /2'))
    const origin = await (await port.origin.peer()).got(head)
    origin.write(answer('no'))
    await origin.got(head + request('GET /2'))
    await client.got(answer('no'))
  })

  test('a response before the end of its request: both go on to their end', async () => {
    const { port } = await open()
    const head = request('POST /1', 'content-length: 4\r\n')
    const client = (await port.dial()).write(`${head}ab`)
    const origin = await (await port.origin.peer()).got(`${head}ab`)
    origin.write(answer('early'))
    await client.got(answer('early'))
    client.write(`cd${request('GET /2')}`)
    await origin.got(`${head}abcd${request('GET /2')}`)
  })

  test('however they are cut, the bytes are the same', async () => {
    const { port } = await open()
    const asks = [
      request('GET /1'),
      `${request('POST /2', 'transfer-encoding: chunked\r\n')}a\r\n0123456789\r\n0\r\nt: v\r\n\r\n`,
      `${request('PUT /3', 'content-length: 5\r\n')}abcde`,
    ]
    const answers = [
      `HTTP/1.1 103 Early Hints\r\n\r\n${answer('one')}`,
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n',
      answer('three'),
    ]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }), async (sizes) => {
        const count = port.origin.peers.length
        const client = await port.dial()
        let origin: Peer | undefined
        for (const [index, ask] of asks.entries()) {
          for (const piece of cut(ask, sizes)) {
            client.write(piece)
            await turns(1)
          }
          origin ??= await port.origin.peer(count)
          await origin.got(asks.slice(0, index + 1).join(''))
          for (const piece of cut(answers[index] ?? '', sizes)) {
            origin.write(piece)
            await turns(1)
          }
          await client.got(answers.slice(0, index + 1).join(''))
        }
        client.reset()
        await origin?.until(({ closed }) => closed)
      }),
      { numRuns: 30 },
    )
  })
})

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, turn = 0; at < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return pieces
}

describe('an upstream that goes', () => {
  test('idle: the client’s connection stays', async () => {
    const { port } = await open()
    const { client, origin } = await keptAlive(port)
    origin.end()
    await origin.until(({ closed }) => closed)
    client.write(request('POST /2', 'content-length: 0\r\n'))
    await (await port.origin.peer(1)).got(request('POST /2', 'content-length: 0\r\n'))
    expect(client.ended).toBe(false)
  })

  test.each([
    ['ends', (origin: Peer) => origin.end()],
    ['is reset', (origin: Peer) => origin.reset()],
  ])('a used one that %s at a GET: it is asked again over a new one', async (_name, go) => {
    const { port } = await open()
    const { client, origin } = await keptAlive(port)
    client.write(request('GET /2'))
    await origin.got(request('GET /first') + request('GET /2'))
    go(origin)
    const second = await (await port.origin.peer(1)).got(request('GET /2'))
    second.write(answer('2'))
    await client.got(answer('first') + answer('2'))
  })

  test('a used one at a POST: nobody is asked twice', async () => {
    const { port } = await open()
    const { client, origin } = await keptAlive(port)
    client.write(request('POST /2', 'content-length: 0\r\n'))
    await origin.until(({ text }) => text.includes('POST'))
    origin.reset()
    await client.until(({ closed }) => closed)
    expect(client.failure).toBe('ECONNRESET')
    expect(port.origin.peers).toHaveLength(1)
  })

  test('a new one at a GET: as without us', async () => {
    const { port } = await open()
    const client = (await port.dial()).write(request('GET /'))
    const origin = await (await port.origin.peer()).got(request('GET /'))
    origin.reset()
    await client.until(({ closed }) => closed)
    expect(client.failure).toBe('ECONNRESET')
    expect(port.origin.peers).toHaveLength(1)
  })

  test('a client that goes takes the upstream with it', async () => {
    const { port, tunnel } = await open()
    const client = (await port.dial()).write(request('POST /mine', 'content-length: 9\r\n'))
    const stream = await asked(await tunnel.stream(), request('POST /mine', 'content-length: 9\r\n'))
    client.reset()
    await stream.until(({ resetCode }) => resetCode !== undefined)
    await vi.waitUntil(() => port.listener.connections.size === 0)
  })
})

describe('a laptop that is not there', () => {
  const post = `${request('POST /mine', 'content-length: 6\r\n')}abc`

  test('refused: the origin gets the whole request', async () => {
    const { port, tunnel } = await open()
    tunnel.laptop = () => undefined
    const client = (await port.dial()).write(post)
    const stream = await asked(await tunnel.stream(), post)
    stream.refuses()
    const origin = await (await port.origin.peer()).got(post)
    client.write('def')
    await origin.got(`${post}def`)
    origin.write(answer('origin'))
    await client.got(answer('origin'))
    expect(port.counts.failOpens).toEqual(['nothing listens'])
  })

  test('refused, and to fail: 502 that says whose Intercept it is, and why', async () => {
    const { port, tunnel } = await open({ onLocalDown: 'fail' })
    tunnel.laptop = (stream) => stream.refuses()
    const client = (await port.dial()).write(request('GET /mine'))
    await client.until(({ ended }) => ended)
    expect(client.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
    expect(client.text).toContain('shop/orders-ada')
    expect(client.text).toContain('nothing listens')
    expect(port.origin.peers).toHaveLength(0)
    expect(port.counts.refusals).toEqual(['nothing listens'])
  })

  test.each(['origin', 'hold', 'fail'] as const)(
    'its tunnel down, with %s: the origin answers',
    async (onLocalDown) => {
      const { port, tunnel } = await open({ onLocalDown })
      tunnel.state = 'down'
      const client = (await port.dial()).write(request('GET /mine'))
      const origin = await (await port.origin.peer()).got(request('GET /mine'))
      origin.write(answer('origin'))
      await client.got(answer('origin'))
    },
  )

  test('a workload without endpoints, and to fail: 502', async () => {
    const port = await Port.open({
      claims: [filteredClaim(undefined, { workload: new OriginBalancer(), onLocalDown: 'fail' })],
    })
    const client = (await port.dial()).write(request('HEAD /mine'))
    await client.until(({ ended }) => ended)
    expect(client.text).toMatch(/^HTTP\/1\.1 502 [\s\S]*\r\n\r\n$/)
  })

  test('lost before it answered: a safe request is asked again at the origin, another waits', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { port, tunnel } = await open()
    const safe = (await port.dial()).write(request('GET /mine'))
    const first = await asked(await tunnel.stream(), request('GET /mine'))
    const unsafe = (await port.dial()).write(request('DELETE /mine'))
    const second = await asked(await tunnel.stream(1), request('DELETE /mine'))
    await turns()
    tunnel.state = 'down'
    port.tunnelChanged()
    await turns()
    expect(port.origin.peers).toHaveLength(0)
    vi.advanceTimersByTime(2_000)
    const origin = await (await port.origin.peer()).got(request('GET /mine'))
    expect(first.resetCode).toBeDefined()
    expect(second.resetCode).toBeUndefined()
    origin.write(answer('origin'))
    await safe.got(answer('origin'))
    tunnel.state = 'up'
    port.tunnelChanged()
    second.says(answer('laptop'))
    await unsafe.got(answer('laptop'))
  })

  test('a body that nobody has accepted is kept up to a bound, then the client waits', async () => {
    const { port, tunnel } = await open()
    tunnel.laptop = () => undefined
    const size = 8 * 1024 * 1024
    const client = await port.dial()
    client.write(request('POST /mine', `content-length: ${size}\r\n`)).write(Buffer.alloc(size))
    const stream = await tunnel.stream()
    await stream.until(({ received }) => received.length > 64 * 1024)
    await turns(100)
    const held = stream.received.length
    expect(held).toBeLessThan(512 * 1024)
    stream.accepts()
    await stream.until(({ received }) => received.length > size)
  })
})

describe('back-pressure', () => {
  test('a client that does not read stops the laptop’s credit, and the next exchange has it again', async () => {
    const { port, tunnel } = await open()
    const client = await port.dial({ reading: false })
    client.write(request('GET /mine'))
    const stream = await asked(await tunnel.stream(), request('GET /mine'))
    const body = Buffer.alloc(16 * 1024 * 1024, 'x')
    stream.says(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`).says(body)
    await turns()
    expect(stream.consumedBytes).toBeLessThan(1024)
    client.read()
    await client.until(({ length }) => length > body.length)
    await stream.until(({ consumedBytes }) => consumedBytes > body.length)
    client.write(request('GET /mine/2'))
    await stream.until(({ text }) => text.endsWith(request('GET /mine/2')))
  })

  test('an upstream that does not read stops the client', async () => {
    const { port, tunnel } = await open()
    const size = 4 * 1024 * 1024
    tunnel.laptop = (stream) => {
      stream.takes = false
      stream.accepts()
    }
    const client = await port.dial()
    client.write(request('POST /mine', `content-length: ${size}\r\n`)).write(Buffer.alloc(size))
    const stream = await tunnel.stream()
    await stream.until(({ received }) => received.length > 100)
    await turns(100)
    expect(stream.received.length).toBeLessThan(1024 * 1024)
    stream.drains()
    await stream.until(({ received }) => received.length > size)
  })
})

describe('a mirror', () => {
  const mirror = (tunnel: TunnelDouble) => filteredClaim(tunnel, { mode: 'mirror', intercept: 'shop/orders-eve' })

  test('has a copy of the request, and its answer is dropped', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.accepts()
    const port = await Port.open({ claims: [mirror(tunnel)] })
    const ask = `${request('POST /mine', 'content-length: 3\r\n')}abc`
    const client = (await port.dial()).write(ask)
    const origin = await (await port.origin.peer()).got(ask)
    const stream = await asked(await tunnel.stream(), ask)
    stream.says(answer('copy'))
    await stream.until(({ ended }) => ended)
    origin.write(answer('origin'))
    await client.got(answer('origin'))
    client.write(request('GET /other'))
    await origin.got(ask + request('GET /other'))
    expect(tunnel.streams).toHaveLength(1)
  })

  test('that cannot keep up loses its copy, and the original is as fast as without it', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => {
      stream.takes = false
      stream.accepts()
    }
    const port = await Port.open({ claims: [mirror(tunnel)] })
    const size = 4 * 1024 * 1024
    const client = await port.dial()
    client.write(request('POST /mine', `content-length: ${size}\r\n`)).write(Buffer.alloc(size))
    const origin = await port.origin.peer()
    await origin.until(({ length }) => length > size)
    const stream = await tunnel.stream()
    expect(stream.resetCode).toBeDefined()
    expect(stream.received.length).toBeLessThan(1024 * 1024)
    origin.write(answer('origin'))
    await client.got(answer('origin'))
  })

  test('whose laptop is gone or refuses changes nothing', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.refuses()
    const port = await Port.open({ claims: [mirror(tunnel)] })
    const client = (await port.dial()).write(request('GET /mine'))
    const origin = await (await port.origin.peer()).got(request('GET /mine'))
    origin.write(answer('1'))
    await client.got(answer('1'))
    tunnel.failure = undefined
    tunnel.state = 'down'
    client.write(request('GET /mine'))
    await origin.got(request('GET /mine') + request('GET /mine'))
  })

  test('whose local process refused gets no copy for a second: a copy costs its original a little', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.refuses()
    const port = await Port.open({ claims: [mirror(tunnel)] })
    const { client, origin } = await keptAlive(port)
    for (let count = 1; count <= 10; count += 1) {
      client.write(request('GET /mine'))
      await origin.got(request('GET /first') + request('GET /mine').repeat(count))
      origin.write(answer('x'))
      await client.got(answer('first') + answer('x').repeat(count))
    }
    expect(tunnel.streams).toHaveLength(1)
  })

  test('has no more copies under way than the port allows', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.accepts()
    const port = await Port.open({ claims: [mirror(tunnel)] })
    const { client, origin } = await keptAlive(port)
    let expected = answer('first')
    for (let count = 0; count < 70; count += 1) {
      client.write(request('GET /mine'))
      const before = origin.length
      await origin.until(
        ({ length }) =>
          length > before || length >= request('GET /first').length + (count + 1) * request('GET /mine').length,
      )
      origin.write(answer('x'))
      expected += answer('x')
      await client.got(expected)
    }
    expect(tunnel.streams).toHaveLength(64)
  })
})
