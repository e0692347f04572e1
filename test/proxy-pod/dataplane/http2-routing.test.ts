import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { type Answer, ask, claim, type Raw, Routed, says, server } from '../support/http2-port.ts'
import { laptop } from '../support/laptop.ts'
import { closedPort, TcpServer } from '../support/peer.ts'

test('each request goes to its claim, the others to the origin', async () => {
  const origin = await server(says('origin'))
  const local = await server(says('laptop'))
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(await laptop(local.port)))
  const client = routed.client()
  const answers = await Promise.all([ask(client, {}), ask(client, { 'x-intercept': 'ada' }), ask(client, {}, 'body')])
  expect(answers.map(({ body }) => body)).toEqual(['origin', 'laptop', 'origin'])
  expect(routed.counts.upstreams.sort()).toEqual(['laptop', 'origin'])
})

test('header order and duplicates, informational answers, trailers both ways', async () => {
  let seen: Raw = []
  let seenTrailers: Raw = []
  const origin = await server((stream, raw) => {
    seen = raw
    stream.on('trailers', (_h: object, _f: number, trailers: Raw) => {
      seenTrailers = trailers
    })
    stream.additionalHeaders({ ':status': 103, link: ['a', 'b'] })
    stream.respond({ ':status': 200, b: ['1', '2'], a: '3' }, { waitForTrailers: true, ...{ sendDate: false } })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.resume().on('end', () => stream.end('done'))
  })
  const routed = await new Routed(origin.port).listen()
  const answer = await ask(
    routed.client(),
    { ':authority': 'orders:80', z: '1', y: ['2', '3'], cookie: ['a=1', 'b=2'] },
    'x',
  )
  expect(seen.slice(8)).toEqual(['z', '1', 'y', '2', 'y', '3', 'cookie', 'a=1', 'cookie', 'b=2'])
  expect(seen.slice(0, 8)).toContain('orders:80')
  expect(seenTrailers).toEqual(['x-sum', '1', 'x-sum', '2'])
  expect(answer.info).toEqual([[':status', '103', 'link', 'a', 'link', 'b']])
  expect(answer.raw).toEqual([':status', '200', 'b', '1', 'b', '2', 'a', '3'])
  expect([answer.body, answer.trailers]).toEqual(['done', ['grpc-status', '0']])
})

test('resets are carried both ways with their codes', async () => {
  const codes: number[] = []
  const origin = await server((stream, raw) => {
    stream.on('close', () => codes.push(stream.rstCode ?? 0))
    if (raw.includes('/server')) stream.close(11)
    else stream.respond({ ':status': 200 })
  })
  const routed = await new Routed(origin.port).listen()
  const client = routed.client()
  expect((await ask(client, { ':path': '/server' })).code).toBe(11)
  const stream = client.request({ ':path': '/client' })
  stream.on('error', () => undefined)
  await once(stream, 'response')
  stream.close(8)
  await expect.poll(() => codes).toEqual([11, 8])
})

test('a local process that is down, or speaks HTTP/1.1, loses nothing: the origin answers', async () => {
  const origin = await server((stream) => {
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const http1 = await new TcpServer((peer) => {
    void peer.until(({ length }) => length > 0).then(() => peer.write('HTTP/1.1 400 Bad Request\r\n\r\n').end())
  }).listen()
  onTestFinished(() => http1.close())
  for (const port of [await closedPort(), http1.port]) {
    const routed = await new Routed(origin.port).listen()
    routed.claims(claim(await laptop(port)))
    expect((await ask(routed.client(), { 'x-intercept': 'ada' }, 'x'.repeat(100_000))).body.length).toBe(100_000)
    expect(routed.counts.failOpens[0]).toMatch(port === http1.port ? /HTTP\/2/ : /nothing answers/)
  }
})

test("with 'fail' gRPC gets status 14, others 502", async () => {
  const origin = await server(says('origin'))
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(undefined, { onLocalDown: 'fail' }))
  const client = routed.client()
  const grpc = await ask(client, { 'x-intercept': 'ada', 'content-type': 'application/grpc' }, 'x')
  expect(grpc.raw).toContain('14')
  expect((await ask(client, { 'x-intercept': 'ada' })).raw.slice(0, 2)).toEqual([':status', '502'])
})

test('a stream that was refused unprocessed is asked again at the origin', async () => {
  const origin = await server((stream) => {
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const local = await server((stream) => stream.close(7))
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(await laptop(local.port)))
  expect((await ask(routed.client(), { 'x-intercept': 'ada' }, 'kept')).body).toBe('kept')
})

test('drain: GOAWAY, and what is under way ends well', async () => {
  let answer: () => void = () => undefined
  const origin = await server((stream) => {
    answer = () => says('done')(stream, [])
  })
  const routed = await new Routed(origin.port).listen()
  const client = routed.client()
  const asked = ask(client, {})
  await expect.poll(() => String(answer)).toContain('says')
  const goaway = once(client, 'goaway')
  for (const connection of routed.connections) connection.drain()
  expect((await goaway)[0]).toBe(0)
  answer()
  expect((await asked).body).toBe('done')
})

test('no request fails while claims come and go under load', async () => {
  const origin = await server((stream) => {
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const local = await server((stream) => {
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const routed = await new Routed(origin.port).listen()
  const tunnel = await laptop(local.port)
  const client = routed.client()
  let flips = 0
  const wrong: Answer[] = []
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      while (flips < 50) {
        const answer = await ask(client, { 'x-intercept': 'ada' }, 'x'.repeat(2_000))
        if (answer.body.length !== 2_000 || answer.code !== 0) wrong.push(answer)
      }
    }).concat(
      (async () => {
        for (; flips < 50; flips += 1) {
          routed.claims(...(flips % 2 === 0 ? [claim(tunnel)] : []))
          await ask(client, { 'x-intercept': 'ada' }, 'x')
        }
      })(),
    ),
  )
  expect(wrong).toEqual([])
  expect(routed.counts.toLaptop).toBeGreaterThan(0)
}, 60_000)

test('a mirror gets a copy, and its answer is dropped', async () => {
  const copies: string[] = []
  const origin = await server(says('origin'))
  const local = await server((stream) => {
    let body = ''
    stream.on('data', (chunk) => {
      body += chunk
    })
    stream.on('end', () => copies.push(body))
    stream.respond({ ':status': 500 }, { endStream: true })
  })
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(await laptop(local.port), { mode: 'mirror', matches: () => true }))
  expect((await ask(routed.client(), {}, 'copied')).body).toBe('origin')
  await expect.poll(() => copies).toEqual(['copied'])
})

test('a mirror whose local process is down gets no copy for a second', async () => {
  const origin = await server(says('origin'))
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(await laptop(await closedPort()), { mode: 'mirror', matches: () => true }))
  const client = routed.client()
  for (let count = 0; count < 5; count += 1) expect((await ask(client, {})).body).toBe('origin')
  expect(routed.counts.upstreams.sort()).toEqual(['laptop', 'origin'])
})
