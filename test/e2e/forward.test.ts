import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { pods, services } from '../../src/kube/resources.ts'
import { isReady, proxyPods } from './support/proxy-pods.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'
import { until } from './support/until.ts'
import { expose, podsOf } from './support/workload.ts'

const s = scenario({
  orders: {
    ports: [
      { name: 'http', port: 80, targetPort: 'http' },
      { name: 'lines', port: 9000, targetPort: 'tcp' },
    ],
  },
})

afterEach(async () => {
  await s.endRuns()
  const { kube, namespace, before } = s
  await until('two pods of orders', async () => (await podsOf(kube, namespace, 'orders')).filter(isReady).length === 2)
  // Their addresses have changed.
  const plain = (state: object) => JSON.stringify(state).replaceAll(/"[\d.]+ true"/g, '"address"')
  await expectAsBefore(kube, namespace, before, plain)
}, 60_000)

async function forward(...args: string[]): Promise<{ run: ReturnType<typeof s.cliHere>; ports: number[] }> {
  const run = s.cliHere('forward', ...args)
  await run.until('active')
  return { run, ports: run.events.filter(({ event }) => event === 'forwarding').map(({ local }) => Number(local)) }
}

const who = async (port: number | undefined): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).headers.get('x-who') ?? ''

test('leads to the Service: HTTP, a protocol in which the server speaks first, half-close, 50 MB', async () => {
  const { run, ports } = await forward('svc/orders', ':http', ':9000')
  const [http, lines] = ports
  expect(await who(http)).toMatch(/^orders-/)
  const socket = connect({ port: lines ?? 0, host: '127.0.0.1', allowHalfOpen: true })
  socket.end('hello\n')
  expect(await text(socket)).toMatch(/^220 (orders-\S+) ready\n\1: hello\nbye \1\n$/)
  const answer = await fetch(`http://127.0.0.1:${http}/download?bytes=50000000`)
  expect((await answer.arrayBuffer()).byteLength).toBe(50_000_000)
  expect(await run.interrupt()).toBe(0)
  await expect(fetch(`http://127.0.0.1:${http}/`)).rejects.toThrow()
})

test('goes on when the pods of the Service are replaced, and when the proxy pods are', {
  timeout: 120_000,
}, async () => {
  const { run, ports } = await forward('svc/orders', ':80')
  const [port] = ports
  const first = await podsOf(s.kube, s.namespace, 'orders')
  for (const { metadata } of first) await s.kube.delete(pods, s.namespace, metadata.name, { gracePeriodSeconds: 0 })
  await until('a new pod answers', async () => {
    const name = await who(port)
    return name.startsWith('orders-') && !first.some(({ metadata }) => metadata.name === name)
  })
  const proxies = await proxyPods(s.kube)
  for (const { metadata } of proxies) {
    await s.kube.delete(pods, metadata.namespace, metadata.name, { gracePeriodSeconds: 0 })
  }
  // Waits for the tunnel: no error.
  await until('an answer through new proxy pods', async () => (await who(port)).startsWith('orders-'))
  await until('both proxy pods', async () => (await proxyPods(s.kube)).filter(isReady).length === proxies.length)
  expect(await run.interrupt()).toBe(0)
})

test('what does not answer is told', async () => {
  await expose(s.kube, s.namespace, 'nobody', { selector: { app: 'nobody' } })
  const { run, ports } = await forward('svc/nobody', ':80')
  await expect(fetch(`http://127.0.0.1:${ports[0]}/`)).rejects.toThrow()
  await run.until('warning', ({ code }) => code === 'not-connected')
  expect(await run.interrupt()).toBe(0)
  await s.kube.delete(services, s.namespace, 'nobody')
})

test.each([
  [['svc/orders', '81'], 'no-such-port'],
  [['svc/orders', '0'], 'bad-port'],
  [['svc/orders'], 'usage'],
  [['svc/nothing', '80'], 'service-not-found'],
])('forward %j is refused: %s', async (args, code) => {
  const run = s.cliHere('forward', ...args)
  const { error } = (await run.until('error')) as unknown as { error: { code: string; fix?: string } }
  expect(error.code).toBe(code)
  expect((await run.ended).code).not.toBe(0)
})
