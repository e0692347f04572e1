import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isEmbedded } from './support/cluster.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'

const s = scenario({
  orders: {
    ports: [
      { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' },
      { name: 'tcp', port: 9000, targetPort: 'tcp', protocol: 'TCP' },
      { name: 'grpc', port: 9002, targetPort: 9002, protocol: 'TCP' },
      { name: 'udp', port: 9001, targetPort: 'udp', protocol: 'UDP' },
    ],
  },
})

test('every protocol passes a whole-port intercept', { timeout: 240_000 }, async () => {
  const { http, tcp, grpc } = s.local.ports
  const { run } = await s.intercept('svc/orders', '-p', `${http}:http`, '-p', `${tcp}:tcp`, '-p', `${grpc}:9002`)
  const at = { http: await s.at('orders', 80), tcp: await s.at('orders', 9000), grpc: await s.at('orders', 9002) }

  await s.settled('orders', 'laptop')
  // HTTP/1.1 chunked
  expect((await s.caller.get({ ...at.http, path: '/chunked?lines=3' })).body).toBe('laptop 0\nlaptop 1\nlaptop 2\n')

  // a WebSocket
  const messages = ['one', 'two', 'x'.repeat(100_000)]
  expect(await s.caller.call('webSocket', { ...at.http, messages })).toEqual([
    'hello from laptop',
    ...messages.map((message) => `laptop: ${message}`),
  ])

  // server-sent events arrive one by one
  const events = await s.caller.call<{ data: string; atMs: number }[]>('events', at.http)
  expect(events.map(({ data }) => JSON.parse(data))).toEqual([0, 1, 2, 3, 4].map((count) => ({ who: 'laptop', count })))
  expect((events.at(-1)?.atMs ?? 0) - (events[0]?.atMs ?? 0)).toBeGreaterThan(50)

  // gRPC
  expect(await s.caller.call('grpc', at.grpc)).toEqual({
    unary: { answer: 'laptop: hello', code: 0, details: '', trailer: 'laptop' },
    failed: expect.objectContaining({ code: 9, details: 'laptop will not do it' }),
    late: expect.objectContaining({ code: 4 }),
    cancelled: 1,
    serverSawCancels: 2,
    listed: 100,
    firstListed: 'laptop 0',
    chatted: [0, 1, 2, 3, 4].map((line) => `laptop: line ${line}`),
  })

  // the server speaks first; half-close by the client
  expect(await s.caller.call('rawLines', { ...at.tcp, lines: ['a', 'b'] })).toEqual({
    greeting: '220 laptop ready',
    answers: ['laptop: a', 'laptop: b'],
    farewell: 'bye laptop',
    end: 'end',
  })
  // half-close by the server, resets by both
  expect(await s.caller.call('rawReset', { ...at.tcp, by: 'server-half-close' })).toEqual({
    greeting: '220 laptop ready',
    after: 'closing laptop',
    end: 'end',
  })
  expect(await s.caller.call('rawReset', { ...at.tcp, by: 'server' })).toMatchObject({ end: 'reset' })
  expect(await s.caller.call('rawReset', { ...at.tcp, by: 'client' })).toMatchObject({ greeting: '220 laptop ready' })
  expect(await s.caller.call('rawSink', { ...at.tcp, bytes: 10_000_000 })).toBe('sunk 10000000 laptop')

  // the UDP port beside them passes through to the origin
  const udp = await s.at('orders', 9001)
  expect(await s.caller.call('udpCall', { ...udp, text: 'ping' })).toMatch(/^orders-.*: ping$/)

  expect(await run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('ports that are not intercepted pass through to the origin', async () => {
  const { run } = await s.intercept('svc/orders', '-p', `${s.local.ports.http}:http`)
  await s.settled('orders', 'laptop')
  expect((await s.caller.get(await s.at('orders', 80))).who).toBe('laptop')
  const tcp = await s.caller.call<{ greeting: string }>('rawLines', { ...(await s.at('orders', 9000)), lines: ['x'] })
  expect(tcp.greeting).toMatch(/^220 orders-/)
  expect(await s.caller.call('grpc', await s.at('orders', 9002))).toMatchObject({
    unary: { answer: expect.stringMatching(/^orders-.*: hello$/) },
    listed: 100,
  })
  expect(await run.interrupt()).toBe(0)
  await expectAsBefore(s.kube, s.namespace, s.before)
})

// The double is for correctness; the size is for a real cluster.
const size = isEmbedded ? { bytes: 128 * 1024 ** 2, name: '128 MiB' } : { bytes: 1024 ** 3, name: '1 GiB' }

test.each(['up', 'down'] as const)(
  `${size.name} %s arrives whole, and neither side holds much of it`,
  { timeout: 280_000 },
  async (direction) => {
    const { run } = await s.intercept('svc/orders', '-p', `${s.local.ports.http}:http`)
    await s.settled('orders', 'laptop')
    const { bytes } = size
    const sizes = residentSizes(run.child.pid ?? 0)
    const result = await s.caller.callLong<{ ms: number }>('transfer', { ...(await s.at('orders')), direction, bytes })
    expect(result).toMatchObject({ who: 'laptop', intact: true, bytes })
    const peak = sizes.stop()
    console.log(
      `${size.name} ${direction}: ${Math.round(result.ms)} ms, the command line's memory at most ${Math.round(peak / 1e6)} MB`,
    )
    if (process.platform === 'linux') expect(peak).toBeLessThan(300e6)
    expect(await run.interrupt()).toBe(0)
    await expectAsBefore(s.kube, s.namespace, s.before)
  },
)

/** Follows the resident size of a process (Linux), in bytes. */
function residentSizes(pid: number): { stop(): number } {
  let peak = 0
  const timer = setInterval(() => {
    const status = process.platform === 'linux' ? readFileSync(`/proc/${pid}/status`, 'utf8') : ''
    peak = Math.max(peak, Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024)
  }, 50)
  return {
    stop: () => {
      clearInterval(timer)
      return peak
    },
  }
}
