import { expect, onTestFinished, test } from 'vitest'
import type { PreviewOptions } from '../../../proxy-pod/preview/preview-host.ts'
import { PreviewListener } from '../../../proxy-pod/preview/preview-listener.ts'
import type { ForwardingOptions } from '../../../src/http/forwarding-fields.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { ObjectApi } from '../../install/object-api.ts'
import { clientOf } from '../../kube/client-of.ts'
import { FakeApi } from '../../kube/fake-api.ts'
import { dial, type Peer, TcpServer } from '../support/peer.ts'
import { Counts } from '../support/port.ts'

const servicePath = '/api/v1/namespaces/shop/services/web'

interface Preview {
  readonly origin: TcpServer
  readonly cluster: ObjectApi
  readonly listener: PreviewListener
  ask(text: string): Promise<Peer>
}

/** A preview of a Service whose ClusterIP is 127.0.0.1, where a test plays the Service by hand. */
async function previewing(
  changes: Partial<PreviewOptions> = {},
  how: { service?: object | null; forwarding?: ForwardingOptions } = {},
): Promise<Preview> {
  const api = await new FakeApi().start()
  const cluster = new ObjectApi()
  api.handler = cluster.handle
  const origin = await new TcpServer().listen()
  const spec = { clusterIP: '127.0.0.1', ports: [{ name: 'http', port: origin.port }], ...how.service }
  if (how.service !== null)
    cluster.put(servicePath, { metadata: { name: 'web', namespace: 'shop' }, spec } as KubeObject)
  const options = {
    domain: 'preview.example.com',
    namespace: 'shop',
    service: 'web',
    port: origin.port,
    host: undefined,
    ...changes,
  }
  const listener = new PreviewListener(clientOf(api.url), options, new Counts(), how.forwarding)
  const port = await listener.listen('127.0.0.1', 0)
  onTestFinished(async () => {
    listener.close()
    origin.close()
    await api.stop()
  })
  return { origin, cluster, listener, ask: async (text) => (await dial(port)).write(text) }
}

const whole = (peer: Peer): boolean => peer.text.includes('\r\n\r\n')
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test('a request to a name below the domain is that person’s, byte for byte but for what makes it hers', async () => {
  const { origin, ask } = await previewing()
  const client = await ask(
    'GET /a?b HTTP/1.1\r\nhOST: Alice.Preview.Example.com:8443\r\nX-Intercept: bob\r\nBaggage: intercept=bob;x=1, k=v\r\n' +
      'Accept:  */*\r\nbaggage: intercept = eve,trace=1\r\n\r\n',
  )
  const pod = await (await origin.peer()).until(whole)
  expect(pod.text).toBe(
    'GET /a?b HTTP/1.1\r\nhOST: Alice.Preview.Example.com:8443\r\nAccept:  */*\r\n' +
      'x-intercept: alice\r\nbaggage: k=v,trace=1,intercept=alice\r\n\r\n',
  )
  pod.write(ok)
  await client.got(ok)
})

test('requests of one connection, as an Ingress sends them, belong to those whom they name, each dialed anew', async () => {
  const { origin, listener, ask } = await previewing()
  const client = await ask('GET /1 HTTP/1.1\r\nHost: alice.preview.example.com\r\n\r\n')
  const first = await (await origin.peer(0)).until(whole)
  first.write(ok)
  await client.got(ok)
  client.write('GET /2 HTTP/1.1\r\nHost: bob.preview.example.com\r\n\r\n')
  const second = await (await origin.peer(1)).until(whole)
  expect([first.text, second.text].map((text) => /x-intercept: (\w+)/.exec(text)?.[1])).toEqual(['alice', 'bob'])
  await first.until((peer) => peer.ended)
  expect(listener.connections).toBe(1)
  second.write(ok)
  await client.got(ok + ok)
  expect(listener.connections).toBe(0)
})

test.each([
  'preview.example.com',
  '.preview.example.com',
  'a.b.preview.example.com',
  'alice.preview.example.org',
  'alicepreview.example.com',
  '-alice.preview.example.com',
  'al_ice.preview.example.com',
  `${'a'.repeat(64)}.preview.example.com`,
])('404 for the host %s, and nobody is asked', async (host) => {
  const { origin, ask } = await previewing()
  const client = await ask(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await client.until((peer) => peer.ended)
  expect(client.text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/)
  expect(client.text).toContain(`no preview is at "${host}", previews are at NAME.preview.example.com`)
  expect(origin.peers).toEqual([])
})

test('a body is passed on as it comes, and so is the stream that answers it', async () => {
  const { origin, ask } = await previewing()
  const client = await ask(
    'POST /events HTTP/1.1\r\nHost: alice.preview.example.com.\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  )
  const pod = await (await origin.peer()).until((peer) => peer.text.endsWith('3\r\nabc\r\n'))
  client.write('0\r\n\r\n')
  await pod.until((peer) => peer.text.endsWith('0\r\n\r\n'))
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
  pod.write(`${head}9\r\ndata: 1\n\n\r\n`)
  await client.got(`${head}9\r\ndata: 1\n\n\r\n`)
  pod.write('9\r\ndata: 2\n\n\r\n')
  await client.got(`${head}9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n`)
})

test('a WebSocket', async () => {
  const { origin, ask } = await previewing()
  const client = await ask(
    'GET /live HTTP/1.1\r\nHost: alice.preview.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  const pod = await (await origin.peer()).until(whole)
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const sent = pod.length
  pod.write(`${switching}hello`)
  await client.got(`${switching}hello`)
  client.write('x-intercept: bob')
  await pod.until((peer) => peer.length > sent)
  expect(pod.text.slice(sent)).toBe('x-intercept: bob')
  client.end()
  await pod.until((peer) => peer.ended)
})

test('with a host of its own the Service is asked for that one, and for no other', async () => {
  const { origin, ask } = await previewing({ host: 'shop.example.com' })
  await ask('GET / HTTP/1.1\r\nHost: alice.preview.example.com\r\n\r\n')
  const pod = await (await origin.peer()).until(whole)
  expect(pod.text).toBe(
    'GET / HTTP/1.1\r\nx-intercept: alice\r\nbaggage: intercept=alice\r\nHost: shop.example.com\r\n\r\n',
  )
  const absolute = await ask(
    'GET http://alice.preview.example.com/ HTTP/1.1\r\nHost: alice.preview.example.com\r\n\r\n',
  )
  await absolute.until((peer) => peer.ended)
  expect(absolute.text).toMatch(/^HTTP\/1\.1 400 /)
})

test('what is asked for is told of the way', async () => {
  const { origin, ask } = await previewing({}, { forwarding: { via: 'intercept', xForwarded: true } })
  await ask('GET / HTTP/1.1\r\nHost: alice.preview.example.com\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n')
  const pod = await (await origin.peer()).until(whole)
  expect(pod.text).toContain(
    'X-Forwarded-For: 192.0.2.1\r\nx-intercept: alice\r\nbaggage: intercept=alice\r\nVia: 1.1 intercept\r\n' +
      'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: alice.preview.example.com\r\nX-Forwarded-Proto: http\r\n\r\n',
  )
})

test.each([
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  [
    'two lengths',
    'GET / HTTP/1.1\r\nHost: a.preview.example.com\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    400,
  ],
])('%s is refused, and nobody is asked', async (_what, bytes, status) => {
  const { origin, ask } = await previewing()
  const client = await ask(bytes)
  await client.until((peer) => peer.ended)
  expect(client.text.startsWith(`HTTP/1.1 ${status} `)).toBe(true)
  expect(origin.peers).toEqual([])
})

test.each([
  ['there is no such Service', null, 'Service shop/web does not exist'],
  ['it has another port', { ports: [{ port: 1 }] }, /has no TCP port \d+/],
  ['it is an alias', { type: 'ExternalName', externalName: 'example.org' }, 'is an alias of another host'],
  ['it is headless and has no pod', { clusterIP: 'None' }, 'Service shop/web has no ready pod'],
])('503 while %s', async (_what, service, text) => {
  const { ask } = await previewing({}, { service })
  const client = await ask('GET / HTTP/1.1\r\nHost: alice.preview.example.com\r\n\r\n')
  await client.until((peer) => peer.ended)
  expect(client.text).toMatch(/^HTTP\/1\.1 503 /)
  expect(client.text).toMatch(text)
})
