import { once } from 'node:events'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { expect, test, vi } from 'vitest'
import { ask, claim, clientOf, type Raw, Routed, says, server } from '../support/http2-port.ts'
import { laptop } from '../support/laptop.ts'

vi.setConfig({ testTimeout: 30_000 })
const patience = { timeout: 10_000 }

const hers = { 'x-intercept': 'ada' }

/** A port whose requests are all answered by that upstream, at the origin or on a laptop. */
async function routedTo(who: string, port: number): Promise<Routed> {
  const other = await server(says('wrong'))
  const routed = await new Routed(who === 'origin' ? port : other.port).listen()
  if (who === 'laptop') routed.claims(claim(await laptop(port), { matches: () => true }))
  return routed
}

test.each(['origin', 'laptop'])('a WebSocket over HTTP/2 to the %s (RFC 8441)', async (who) => {
  let seen: Raw = []
  const peer = await server(
    (stream, raw) => {
      seen = raw
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    },
    { enableConnectProtocol: true },
  )
  const routed = await routedTo(who, peer.port)
  const client = clientOf(routed.port)
  await once(client, 'remoteSettings')
  expect(client.remoteSettings.enableConnectProtocol).toBe(true)
  const socket = client.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' })
  let body = ''
  socket.on('data', (chunk) => {
    body += chunk
  })
  socket.write('one')
  await expect.poll(() => body, patience).toBe('one')
  socket.end('two')
  await once(socket, 'close')
  expect([body, socket.rstCode]).toEqual(['onetwo', 0])
  expect(seen.join()).toContain(':protocol,websocket')
})

test('a WebSocket to an origin that does not know of it is answered 501', async () => {
  const origin = await server(says('never'))
  const routed = await routedTo('origin', origin.port)
  const client = clientOf(routed.port)
  await once(client, 'remoteSettings')
  const answer = await ask(client, { ':method': 'CONNECT', ':protocol': 'websocket' }, 'x')
  expect(answer.raw.slice(0, 2)).toEqual([':status', '501'])
})

test('100-continue is asked end to end: no body before the upstream wants it', async () => {
  let got = ''
  let answer: ServerHttp2Stream | undefined
  const origin = await server((stream) => {
    answer = stream
    stream.on('data', (chunk) => {
      got += chunk
    })
    stream.on('end', () => says(got)(stream, []))
  })
  const routed = await routedTo('origin', origin.port)
  const stream = routed.client().request({ ':method': 'POST', expect: '100-continue' })
  const body: string[] = []
  stream.on('data', (chunk) => body.push(String(chunk)))
  const goOn = once(stream, 'continue')
  await expect.poll(() => answer !== undefined, patience).toBe(true)
  answer?.additionalHeaders({ ':status': 100 })
  await goOn
  expect(got).toBe('')
  stream.end('the body')
  await once(stream, 'close')
  expect(body.join('')).toBe('the body')
})

test.each([
  ['HEAD', 200, '1234'],
  ['GET', 204, undefined],
  ['GET', 304, '1234'],
] as const)('%s answered %i has no body and its own length', async (method, status, length) => {
  const origin = await server((stream) => {
    const headers = { ':status': status, etag: '"a"', ...(length && { 'content-length': length }) }
    stream.respond(headers, { endStream: true, ...{ sendDate: false } })
  })
  const routed = await routedTo('origin', origin.port)
  const answer = await ask(routed.client(), { ':method': method })
  const more = length ? ['content-length', length] : []
  expect(answer.raw).toEqual([':status', `${status}`, 'etag', '"a"', ...more])
  expect([answer.body, answer.code]).toEqual(['', 0])
})

const bodyBytes = 10 * 1024 * 1024

test.each(['origin', 'laptop'])('the %s answers more than a slow client takes: it waits', async (who) => {
  let sent = 0
  const peer = await server((stream) => {
    stream.respond({ ':status': 200 })
    const chunk = Buffer.alloc(64 * 1024, 1)
    const more = () => {
      while (sent < bodyBytes) {
        sent += chunk.length
        if (!stream.write(chunk)) return
      }
      stream.end()
    }
    stream.on('drain', more)
    more()
  })
  const routed = await routedTo(who, peer.port)
  const stream = routed.client().request({})
  await once(stream, 'response')
  await settled(() => sent)
  expect(sent).toBeLessThan(4 * 1024 * 1024)
  let got = 0
  stream.on('data', (chunk: Buffer) => {
    got += chunk.length
  })
  await once(stream, 'close')
  expect(got).toBe(bodyBytes)
})

test.each(['origin', 'laptop'])('a client sends more than a slow %s takes: it waits', async (who) => {
  let received: ServerHttp2Stream | undefined
  const peer = await server((stream) => {
    received = stream
    stream.respond({ ':status': 200 })
  })
  const routed = await routedTo(who, peer.port)
  const stream = routed.client().request({ ':method': 'POST' })
  let sent = 0
  const chunk = Buffer.alloc(64 * 1024, 1)
  const more = () => {
    while (sent < bodyBytes) {
      sent += chunk.length
      if (!stream.write(chunk)) return
    }
    stream.end()
  }
  stream.on('drain', more).on('error', () => undefined)
  stream.resume()
  more()
  await once(stream, 'response')
  await settled(() => sent)
  expect(sent).toBeLessThan(4 * 1024 * 1024)
  let got = 0
  received?.on('data', (data: Buffer) => {
    got += data.length
  })
  received?.on('end', () => received?.end())
  await once(stream, 'close')
  expect(got).toBe(bodyBytes)
})

/** Resolves when a number has stood still for a while. */
async function settled(read: () => number): Promise<void> {
  for (let last = -1; last !== read(); ) {
    last = read()
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

test.each(['origin', 'laptop'])('a client that cancels while it sends: the %s is told with its code', async (who) => {
  const codes: number[] = []
  const peer = await server((stream) => {
    stream.resume().on('close', () => codes.push(stream.rstCode ?? 0))
  })
  const routed = await routedTo(who, peer.port)
  const client = routed.client()
  const stream = client.request({ ':method': 'POST' })
  stream.on('error', () => undefined)
  stream.write('begun')
  await expect.poll(() => routed.counts.upstreams.length, patience).toBe(1)
  await expect.poll(() => peer.sessions.length, patience).toBe(1)
  stream.close(constants.NGHTTP2_CANCEL)
  await expect.poll(() => codes, patience).toContain(constants.NGHTTP2_CANCEL)
})

test('a mirror gets the trailers too', async () => {
  let trailers: Raw = []
  const origin = await server(says('origin'))
  const local = await server((stream) => {
    stream.on('trailers', (_headers: object, _flags: number, raw: Raw) => {
      trailers = raw
    })
    stream.resume()
  })
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(await laptop(local.port), { mode: 'mirror', matches: () => true }))
  expect((await ask(routed.client(), {}, 'copied')).body).toBe('origin')
  await expect.poll(() => trailers, patience).toEqual(['x-sum', '1', 'x-sum', '2'])
})

test('a mirror that does not read is dropped; the original is not slowed', async () => {
  const codes: number[] = []
  let got = 0
  const origin = await server((stream) => {
    stream.on('data', (chunk: Buffer) => {
      got += chunk.length
    })
    stream.on('end', () => says('origin')(stream, []))
  })
  const local = await server((stream) => {
    stream.on('close', () => codes.push(stream.rstCode ?? 0))
  })
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(await laptop(local.port), { mode: 'mirror', matches: () => true }))
  const answer = await ask(routed.client(), hers, 'x'.repeat(bodyBytes))
  expect([answer.body, got]).toEqual(['origin', bodyBytes])
  await expect.poll(() => codes, patience).toEqual([constants.NGHTTP2_CANCEL])
})

test('a mirror whose laptop is not there costs the original nothing', async () => {
  const origin = await server(says('origin'))
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(undefined, { mode: 'mirror', matches: () => true }))
  expect((await ask(routed.client(), hers, 'x')).body).toBe('origin')
  expect(routed.counts.upstreams).toEqual(['origin'])
})
