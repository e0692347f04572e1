import { once } from 'node:events'
import { constants } from 'node:http2'
import { expect, test, vi } from 'vitest'
import { OriginBalancer } from '../../../proxy-pod/dataplane/origin-balancer.ts'
import { filteredClaim } from '../support/claims.ts'
import { ask, claim, clientOf, Routed, says, server } from '../support/http2-port.ts'
import { laptop } from '../support/laptop.ts'
import { closedPort } from '../support/peer.ts'
import { Port } from '../support/port.ts'

vi.setConfig({ testTimeout: 30_000 })
const patience = { timeout: 10_000 }

const hers = { 'x-intercept': 'ada' }

function workload(...ports: number[]): OriginBalancer {
  const balancer = new OriginBalancer()
  balancer.update(
    ports.map((port) => ({ address: '127.0.0.1', port })),
    false,
  )
  return balancer
}

test('a workload answers for its claim; one that is down leaves the requests to the origin', async () => {
  const origin = await server(says('origin'))
  const branch = await server(says('branch'))
  const routed = await new Routed(origin.port).listen()
  const client = routed.client()
  routed.claims(claim(undefined, { workload: workload(await closedPort(), branch.port) }))
  expect((await ask(client, hers, 'x')).body).toBe('branch')
  expect((await ask(client, {})).body).toBe('origin')
  routed.claims(claim(undefined, { workload: workload(await closedPort()) }))
  expect((await ask(client, hers, 'x')).body).toBe('origin')
  routed.claims(claim(undefined, { workload: workload(), onLocalDown: 'fail' }))
  expect((await ask(client, hers)).raw.slice(0, 2)).toEqual([':status', '502'])
})

test.each(['origin', 'laptop'])(
  'what %s had not begun when it said GOAWAY is asked on a new connection',
  async (who) => {
    let seen = 0
    const peer = await server((stream) => {
      seen += 1
      if (peer.sessions.length > 1) {
        stream.respond({ ':status': 200 })
        stream.pipe(stream)
        return
      }
      // The first request is answered; the second, it says, was never looked at.
      if (seen === 1) says('first')(stream, [])
      else peer.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, (stream.id ?? 3) - 2)
    })
    const other = await server(says('wrong'))
    const routed = await new Routed(who === 'origin' ? peer.port : other.port).listen()
    if (who === 'laptop') routed.claims(claim(await laptop(peer.port)))
    const client = routed.client()
    expect((await ask(client, hers)).body).toBe('first')
    expect((await ask(client, hers, 'once more')).body).toBe('once more')
    expect(peer.sessions.length).toBe(2)
  },
)

test('what was under way when the peer said GOAWAY ends there; what comes then is asked on a new connection', async () => {
  let finish: () => void = () => undefined
  const peer = await server((stream, raw) => {
    if (!raw.includes('/slow')) return says(`${peer.sessions.length}`)(stream, raw)
    stream.respond({ ':status': 200 })
    stream.write('slow')
    finish = () => void stream.end(' done')
    peer.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, stream.id)
  })
  const routed = await new Routed(peer.port).listen()
  const client = routed.client()
  const slow = client.request({ ':path': '/slow' })
  let body = ''
  slow.on('data', (chunk) => {
    body += chunk
  })
  await expect.poll(() => body, patience).toBe('slow')
  expect((await ask(client, {})).body).toBe('2')
  finish()
  await once(slow, 'close')
  expect([body, slow.rstCode]).toEqual(['slow done', 0])
})

test('a request that the origin refuses unprocessed is refused so', async () => {
  const origin = await server((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM))
  const routed = await new Routed(origin.port).listen()
  expect((await ask(routed.client(), {})).code).toBe(constants.NGHTTP2_REFUSED_STREAM)
})

test('a safe request on a connection that had just been closed is asked on a new one; an unsafe one is not', async () => {
  const origin = await server((stream, raw) => {
    if (origin.sessions.length === 1 && raw.includes('/lost')) origin.sessions[0]?.destroy()
    else says(`${origin.sessions.length}`)(stream, raw)
  })
  for (const [body, seen] of [
    [undefined, '2'],
    ['x', undefined],
  ] as const) {
    origin.sessions.length = 0
    const routed = await new Routed(origin.port).listen()
    const client = routed.client()
    expect((await ask(client, {})).body).toBe('1')
    const answer = await ask(client, { ':path': '/lost' }, body)
    if (seen === undefined) expect(answer.raw.slice(0, 2)).toEqual([':status', '502'])
    else expect(answer.body).toBe(seen)
  }
})

test('more requests than the peer takes at once go on further connections', async () => {
  let open = 0
  let most = 0
  const waiting: (() => void)[] = []
  const origin = await server(
    (stream) => {
      open += 1
      most = Math.max(most, open)
      stream.once('close', () => {
        open -= 1
      })
      waiting.push(() => says('done')(stream, []))
    },
    { maxConcurrentStreams: 4 },
  )
  const routed = await new Routed(origin.port).listen()
  const client = routed.client()
  const asked = Array.from({ length: 10 }, () => ask(client, {}))
  await expect.poll(() => waiting.length, patience).toBe(10)
  expect(origin.sessions.length).toBe(3)
  for (const answer of waiting) answer()
  expect((await Promise.all(asked)).map(({ body }) => body)).toEqual(Array(10).fill('done'))
  expect(most).toBe(10)
})

test('a peer that takes no requests at all is not dialled again and again', async () => {
  const origin = await server(says('never'), { maxConcurrentStreams: 0 })
  const routed = await new Routed(origin.port).listen()
  expect((await ask(routed.client(), {})).raw.slice(0, 2)).toEqual([':status', '502'])
  expect(origin.sessions.length).toBe(1)
})

test('a listener that accepts no more sends clients away: GOAWAY, nothing fails, new requests connect anew', async () => {
  let seen = 0
  const origin = await server((stream, raw) => {
    seen += 1
    if (!raw.includes('/slow')) says('origin')(stream, raw)
    else setTimeout(() => says('slow')(stream, raw), 50)
  })
  const port = await Port.open({
    claims: [filteredClaim(undefined)],
    endpoints: [{ address: '127.0.0.1', port: origin.port }],
  })
  // Where the Service leads now: to us, then to the origin.
  let where = port.number
  let session = clientOf(where)
  let goaways = 0
  const leave = () => {
    goaways += 1
    where = origin.port
    session = clientOf(where)
  }
  session.once('goaway', leave)
  let isOver = false
  let after = 0
  const answers: string[] = []
  const callers = Array.from({ length: 20 }, async (_, number) => {
    while (!isOver) {
      const { body, code, raw } = await ask(session, { ':path': number % 2 ? '/' : '/slow' })
      // Never sent: Node does so with what it has not written when it reads of a GOAWAY. Its callers ask again.
      if (code === constants.NGHTTP2_REFUSED_STREAM && raw.length === 0) continue
      answers.push(`${body} ${code}`)
      if (goaways > 0) after += 1
    }
  })
  await expect.poll(() => answers.length, patience).toBeGreaterThan(50)
  port.listener.stopAccepting()
  await expect.poll(() => after, patience).toBeGreaterThan(50)
  await expect.poll(() => port.listener.connections.size, patience).toBe(0)
  isOver = true
  await Promise.all(callers)
  expect([goaways, seen]).toEqual([1, answers.length])
  expect(new Set(answers)).toEqual(new Set(['origin 0', 'slow 0']))
})
