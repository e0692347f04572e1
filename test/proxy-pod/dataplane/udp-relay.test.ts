import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { OriginBalancer } from '../../../proxy-pod/dataplane/origin-balancer.ts'
import { UdpRelay, udpLimits } from '../../../proxy-pod/dataplane/udp-relay.ts'
import { turns } from '../support/peer.ts'

const defaults = { ...udpLimits }
afterEach(() => {
  Object.assign(udpLimits, defaults)
})

async function bound(host = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, host)
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return socket
}

/** A pod that answers `NAME TEXT`, and remembers who asked. */
async function echo(name: string, host?: string) {
  const socket = await bound(host)
  const asked: { text: string; from: number }[] = []
  socket.on('message', (datagram, from) => {
    asked.push({ text: datagram.toString(), from: from.port })
    socket.send(`${name} ${datagram}`, from.port, from.address)
  })
  const { address, port } = socket.address()
  return { endpoint: { address, port }, asked }
}

async function relayTo(endpoints: readonly { address: string; port: number }[], host = '127.0.0.1') {
  const origin = new OriginBalancer()
  origin.update(endpoints, false)
  const errors: Error[] = []
  const relay = new UdpRelay(origin, (error) => errors.push(error))
  const port = await relay.listen(host, 0)
  onTestFinished(() => relay.close())
  return { relay, port, origin, errors }
}

async function ask(client: Socket, port: number, text: string, host = '127.0.0.1'): Promise<string> {
  const answered = once(client, 'message') as Promise<[Buffer, RemoteInfo]>
  client.send(text, port, host)
  const [datagram, from] = await answered
  expect(from.port).toBe(port)
  return datagram.toString()
}

test('a question and its answer, from the address that was asked', async () => {
  const pod = await echo('pod')
  const { port } = await relayTo([pod.endpoint])
  expect(await ask(await bound(), port, 'hello')).toBe('pod hello')
})

test('the biggest datagram that loopback carries', async () => {
  const pod = await bound()
  pod.on('message', (datagram, from) => pod.send(datagram, from.port, from.address))
  const { address, port: podPort } = pod.address()
  const { port } = await relayTo([{ address, port: podPort }])
  const text = 'x'.repeat(65_507)
  expect(await ask(await bound(), port, text)).toBe(text)
})

test('a client keeps its pod and its own port there; two clients are not mixed', async () => {
  const pods = [await echo('a'), await echo('b')]
  const { port } = await relayTo(pods.map(({ endpoint }) => endpoint))
  const clients = [await bound(), await bound(), await bound(), await bound()]
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(clients.map((client, index) => ask(client, port, `${index}-${round}`)))
    expect(answers.map((answer) => answer.slice(2))).toEqual(clients.map((_client, index) => `${index}-${round}`))
  }
  for (const { asked } of pods) {
    expect(asked).toHaveLength(10)
    expect(new Set(asked.map(({ from }) => from)).size).toBe(2)
  }
})

test('somebody else who knows the port of a flow cannot answer in the name of the pod', async () => {
  const pod = await bound()
  const { address, port: podPort } = pod.address()
  const { port } = await relayTo([{ address, port: podPort }])
  const client = await bound()
  const got: string[] = []
  client.on('message', (datagram) => got.push(datagram.toString()))
  client.send('question', port, '127.0.0.1')
  const [, from] = (await once(pod, 'message')) as [Buffer, RemoteInfo]
  const stranger = await bound()
  stranger.send('forged', from.port, '127.0.0.1')
  await new Promise((resolve) => stranger.send('forged', from.port, '127.0.0.1', resolve))
  pod.send('true', from.port, '127.0.0.1')
  await once(client, 'message')
  expect(got).toEqual(['true'])
})

test('a client whose pod is gone is served by another one at once', async () => {
  const [first, second] = [await echo('first'), await echo('second')]
  const { port, origin } = await relayTo([first.endpoint])
  const client = await bound()
  expect(await ask(client, port, '1')).toBe('first 1')
  origin.update([second.endpoint], false)
  expect(await ask(client, port, '2')).toBe('second 2')
  expect(first.asked).toHaveLength(1)
})

test('a client whose pod is still there stays, though others come', async () => {
  const pods = [await echo('first'), await echo('second')]
  const { port, origin } = await relayTo([pods[0]?.endpoint ?? { address: '', port: 0 }])
  const client = await bound()
  expect(await ask(client, port, '1')).toBe('first 1')
  origin.update(
    pods.map(({ endpoint }) => endpoint),
    false,
  )
  expect(await ask(client, port, '2')).toBe('first 2')
})

test('with no pod datagrams are lost, and later ones are not', async () => {
  const pod = await echo('pod')
  const { port, origin, errors } = await relayTo([])
  const client = await bound()
  await new Promise((resolve) => client.send('lost', port, '127.0.0.1', resolve))
  await turns()
  origin.update([pod.endpoint], false)
  expect(await ask(client, port, 'hello')).toBe('pod hello')
  expect(errors).toEqual([])
})

test('flows are limited: the one that was silent longest makes room, and comes back as a new one', async () => {
  udpLimits.maxFlows = 2
  const pod = await echo('pod')
  const { port } = await relayTo([pod.endpoint])
  const [one, two, three] = [await bound(), await bound(), await bound()]
  await ask(one, port, '1')
  await ask(two, port, '2')
  await ask(one, port, '1')
  await ask(three, port, '3')
  await ask(one, port, '1')
  await ask(two, port, '2')
  const portsOf = (text: string): Set<number> =>
    new Set(pod.asked.filter((one) => one.text === text).map(({ from }) => from))
  expect(portsOf('1').size).toBe(1)
  expect(portsOf('2').size).toBe(2)
})

test('a silent flow ends', async () => {
  udpLimits.idleMs = 20
  const pod = await echo('pod')
  const { port } = await relayTo([pod.endpoint])
  const client = await bound()
  await ask(client, port, '1')
  await new Promise((resolve) => setTimeout(resolve, 60))
  await ask(client, port, '2')
  expect(pod.asked[0]?.from).not.toBe(pod.asked[1]?.from)
})

test('IPv6, and both families on one socket', async () => {
  const pod = await echo('six', '::1')
  const { port } = await relayTo([pod.endpoint], '::')
  expect(await ask(await bound('::1'), port, 'hello', '::1')).toBe('six hello')
  expect(await ask(await bound(), port, 'hello')).toBe('six hello')
})
