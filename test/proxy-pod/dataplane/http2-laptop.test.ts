import { expect, test, vi } from 'vitest'
import { repeatAfterMs } from '../../../proxy-pod/dataplane/connection.ts'
import { TunnelHealth } from '../../../proxy-pod/dataplane/tunnel-health.ts'
import { ask, claim, Routed, says, server } from '../support/http2-port.ts'
import { laptop } from '../support/laptop.ts'
import { closedPort, TcpServer, turns } from '../support/peer.ts'
import { TunnelDouble } from '../support/tunnel-double.ts'

vi.setConfig({ testTimeout: 30_000 })
const patience = { timeout: 10_000 }

const hers = { 'x-intercept': 'ada' }

test("'hold': requests wait for a local process that comes back", async () => {
  const origin = await server(says('origin'))
  const port = await closedPort()
  const downs: string[] = []
  const routed = await new Routed(origin.port).listen()
  const tunnel = await laptop(port, { onLocalDown: (_port, _local, reason) => downs.push(reason) }, 5_000)
  routed.claims(claim(tunnel, { onLocalDown: 'hold', acceptTimeoutMs: 6_500 }))
  const client = routed.client()
  const answers = [ask(client, hers), ask(client, hers, 'x')]
  // Those that are nobody's do not wait.
  expect((await ask(client, {})).body).toBe('origin')
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await server(says('laptop'), {}, port)
  expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(['laptop', 'laptop'])
  expect([downs, routed.counts.failOpens]).toEqual([[], []])
})

test("'hold': each request is held for its own time, whoever waited before it", async () => {
  const origin = await server(says('origin'))
  const tunnel = new TunnelDouble()
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(tunnel, { onLocalDown: 'hold', acceptTimeoutMs: 1_000 }))
  const client = routed.client()
  const first = ask(client, hers)
  const held = await tunnel.stream()
  let isSecondOver = false
  const second = ask(client, hers).finally(() => {
    isSecondOver = true
  })
  await ask(client, {})
  // The laptop gives up the first one's time; the second goes on to wait, in an attempt of its own.
  held.refuses('nothing answers on localhost:3000')
  expect((await first).body).toBe('origin')
  const again = await tunnel.stream(1)
  expect(isSecondOver).toBe(false)
  // Also right after a refusal a new request is held.
  const third = ask(client, hers)
  await ask(client, {})
  again.refuses('nothing answers on localhost:3000')
  await tunnel.stream(2)
  // Nobody answers that: each goes when its own time is over.
  const began = performance.now()
  expect([(await second).body, (await third).body]).toEqual(['origin', 'origin'])
  expect(performance.now() - began).toBeLessThan(1_500)
})

test("'hold': an Intercept that ends lets go of what it holds at once", async () => {
  const origin = await server(says('origin'))
  const tunnel = new TunnelDouble()
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(tunnel, { onLocalDown: 'hold', acceptTimeoutMs: 60_000 }))
  const client = routed.client()
  const asked = [ask(client, hers), ask(client, hers)]
  await tunnel.stream()
  await ask(client, {})
  routed.claims()
  expect((await Promise.all(asked)).map(({ body }) => body)).toEqual(['origin', 'origin'])
  expect(tunnel.streams.length).toBe(1)
})

test.each(['origin', 'hold', 'fail'] as const)(
  "'%s': the request that follows a refusal finds a local process that has come back",
  async (onLocalDown) => {
    const origin = await server(says('origin'))
    const port = await closedPort()
    const routed = await new Routed(origin.port).listen()
    routed.claims(claim(await laptop(port), { onLocalDown }))
    const client = routed.client()
    const first = await ask(client, hers)
    if (onLocalDown === 'fail') expect(first.raw.slice(0, 2)).toEqual([':status', '502'])
    else expect(first.body).toBe('origin')
    await server(says('laptop'), {}, port)
    expect((await ask(client, hers)).body).toBe('laptop')
  },
)

test.each(['origin', 'hold', 'fail'] as const)(
  "'%s': what speaks no HTTP/2 is not dialled by each request, and 'fail' never asks the origin",
  async (onLocalDown) => {
    let asked = 0
    const origin = await server((stream) => {
      asked += 1
      says('origin')(stream, [])
    })
    const http1 = await new TcpServer((peer) => {
      void peer.until(({ length }) => length > 0).then(() => peer.write('HTTP/1.1 400 Bad Request\r\n\r\n').end())
    }).listen()
    const routed = await new Routed(origin.port).listen()
    routed.claims(claim(await laptop(http1.port), { onLocalDown }))
    const client = routed.client()
    const answers = []
    for (let count = 0; count < 4; count += 1) answers.push(await ask(client, hers))
    http1.close()
    if (onLocalDown === 'fail') {
      expect(answers.map(({ raw }) => raw[1])).toEqual(Array(4).fill('502'))
      expect(asked).toBe(0)
    } else expect(answers.map(({ body }) => body)).toEqual(Array(4).fill('origin'))
    expect(http1.peers.length).toBe(onLocalDown === 'origin' ? 1 : 4)
  },
)

test('a laptop that does not accept in time is left alone for a while, then tried by one request', async () => {
  let now = 0
  const origin = await server(says('origin'))
  const tunnel = new TunnelDouble()
  const routed = await new Routed(origin.port).listen()
  routed.route = { ...routed.route, health: new TunnelHealth(() => now) }
  routed.claims(claim(tunnel, { acceptTimeoutMs: 100 }))
  const client = routed.client()
  const both = [ask(client, hers), ask(client, hers, 'x')]
  expect((await Promise.all(both)).map(({ body }) => body)).toEqual(['origin', 'origin'])
  expect([tunnel.streams.length, tunnel.streams[0]?.resetCode]).toEqual([1, 'not-accepted-in-time'])
  await ask(client, hers)
  expect(tunnel.streams.length).toBe(1)
  now += 2_000
  expect((await ask(client, hers)).body).toBe('origin')
  expect(tunnel.streams.length).toBe(2)
  expect(routed.counts.failOpens.length).toBe(4)
})

test('a request that is cancelled as it comes does not keep others from trying a doubtful laptop', async () => {
  const origin = await server(says('origin'))
  const tunnel = new TunnelDouble()
  const routed = await new Routed(origin.port).listen()
  let now = 0
  const health = new TunnelHealth(() => now)
  routed.route = { ...routed.route, health }
  health.timedOut(tunnel)
  now += 2_000
  routed.claims(claim(tunnel, { acceptTimeoutMs: 100 }))
  const client = routed.client()
  await ask(client, {})
  const stream = client.request(hers)
  stream.on('error', () => undefined)
  stream.close(8)
  await ask(client, {})
  await turns()
  expect((await ask(client, hers)).body).toBe('origin')
  expect(tunnel.streams.length).toBe(1)
})

/** A port whose laptop has taken a request and says nothing. */
async function silent(method: string, onLocalDown: 'origin' | 'fail' = 'origin') {
  const origin = await server(says('origin'))
  let seen = 0
  const local = await server(() => {
    seen += 1
  })
  const real = await laptop(local.port)
  // Its state is the test's.
  const tunnel = { ...double(real), state: 'up' as 'up' | 'down' }
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(tunnel, { onLocalDown }))
  const asked = ask(routed.client(), { ...hers, ':method': method }, method === 'POST' ? 'x' : undefined)
  await vi.waitFor(() => expect(seen).toBe(1), patience)
  return { routed, tunnel, asked, local }
}

const double = (tunnel: Awaited<ReturnType<typeof laptop>>) => ({
  id: tunnel.id,
  stats: tunnel.stats,
  open: tunnel.open.bind(tunnel),
  close: tunnel.close.bind(tunnel),
})

test('a safe request that a lost laptop has not begun to answer is asked again at the origin', async () => {
  const { routed, tunnel, asked, local } = await silent('GET')
  tunnel.state = 'down'
  const began = performance.now()
  routed.claims(...routed.route.claims)
  expect((await asked).body).toBe('origin')
  expect(performance.now() - began).toBeGreaterThan(repeatAfterMs - 50)
  expect(local.sessions.length).toBe(1)
})

test.each([
  ['POST', 'origin'],
  ['GET', 'fail'],
] as const)("%s with '%s' is not asked again, and waits for the laptop", async (method, onLocalDown) => {
  const { routed, tunnel, asked } = await silent(method, onLocalDown)
  let isOver = false
  void asked.then(() => {
    isOver = true
  })
  tunnel.state = 'down'
  routed.claims(...routed.route.claims)
  await new Promise((resolve) => setTimeout(resolve, repeatAfterMs + 100))
  expect(isOver).toBe(false)
})

test('a laptop that is back in time keeps its requests', async () => {
  const { routed, tunnel, asked } = await silent('GET')
  let isOver = false
  void asked.then(() => {
    isOver = true
  })
  tunnel.state = 'down'
  routed.claims(...routed.route.claims)
  tunnel.state = 'up'
  routed.claims(...routed.route.claims)
  await new Promise((resolve) => setTimeout(resolve, repeatAfterMs + 100))
  expect(isOver).toBe(false)
})

test('what still goes to a laptop whose Intercept has ended is ended, and only that', async () => {
  const origin = await server((stream) => stream.respond({ ':status': 200 }))
  const local = await server((stream, raw) => {
    if (raw.includes('/begun')) stream.respond({ ':status': 200 })
  })
  const routed = await new Routed(origin.port).listen()
  routed.claims(claim(await laptop(local.port)))
  const client = routed.client()
  const begun = client.request({ ...hers, ':path': '/begun' })
  const others = client.request({})
  begun.on('error', () => undefined)
  await Promise.all([begun, others].map((stream) => new Promise((resolve) => stream.once('response', resolve))))
  const waiting = ask(client, hers)
  await vi.waitFor(() => expect(routed.counts.upstreams.length).toBe(2), patience)
  await ask(client, { ...hers, ':path': '/begun', ':method': 'HEAD' })
  // Still hers: nothing happens.
  for (const connection of routed.connections) connection.dropReleased()
  expect([begun.closed, others.closed]).toEqual([false, false])
  routed.claims()
  for (const connection of routed.connections) connection.dropReleased()
  expect((await waiting).raw.slice(0, 2)).toEqual([':status', '502'])
  await vi.waitFor(() => expect(begun.rstCode).toBe(2), patience)
  expect([others.closed, client.closed]).toEqual([false, false])
})
