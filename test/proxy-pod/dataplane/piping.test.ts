import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Tunnel } from '../../../src/tunnel/index.ts'
import { laptop } from '../support/laptop.ts'
import { type Peer, TcpServer, turns } from '../support/peer.ts'
import { Port } from '../support/port.ts'
import { TunnelDouble } from '../support/tunnel-double.ts'

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** A port whose connections end at `server`: through a real tunnel, or as its origin. */
async function portTo(kind: 'laptop' | 'origin', onPeer?: (peer: Peer) => void, reading = true) {
  const server = await new TcpServer(onPeer, reading).listen()
  const tunnel: Tunnel | undefined = kind === 'laptop' ? await laptop(server.port) : undefined
  const port = await Port.open(tunnel ? { tunnel, endpoints: [] } : { endpoints: [server.endpoint] })
  return { port, server }
}

describe.each(['laptop', 'origin'] as const)('any TCP protocol, to the %s', (kind) => {
  test('a server that speaks first', async () => {
    const { port, server } = await portTo(kind, (peer) => peer.write('220 ready\r\n'))
    const client = await (await port.dial()).got('220 ready\r\n')
    client.write('EHLO x\r\n')
    await (await server.peer()).got('EHLO x\r\n')
    server.close()
  })

  test('the client half-closes, and is answered after it', async () => {
    const { port, server } = await portTo(kind)
    const client = (await port.dial()).write('question').end()
    const peer = await (await server.peer()).until(({ ended }) => ended)
    expect(peer.text).toBe('question')
    await turns()
    expect(client.closed).toBe(false)
    peer.write('answer').end()
    await client.until(({ ended }) => ended)
    expect(client.text).toBe('answer')
    expect(client.failure).toBeUndefined()
    server.close()
  })

  test('the server half-closes, and goes on listening', async () => {
    const { port, server } = await portTo(kind, (peer) => peer.write('I am done').end())
    const client = await (await port.dial()).until(({ ended }) => ended)
    expect(client.text).toBe('I am done')
    const peer = await server.peer()
    client.write('but I am not').end()
    await peer.until(({ ended }) => ended)
    expect(peer.text).toBe('but I am not')
    server.close()
  })

  test('a reset by the client is a reset for the server', async () => {
    const { port, server } = await portTo(kind)
    const client = (await port.dial()).write('x')
    const peer = await (await server.peer()).got('x')
    client.reset()
    await peer.until(({ closed }) => closed)
    expect(peer.failure).toBe('ECONNRESET')
    await turns()
    expect(port.listener.connections.size).toBe(0)
    server.close()
  })

  test('a reset by the server is a reset for the client', async () => {
    const { port, server } = await portTo(kind)
    const client = (await port.dial()).write('x')
    ;(await (await server.peer()).got('x')).reset()
    await client.until(({ closed }) => closed)
    expect(client.failure).toBe('ECONNRESET')
    await turns()
    expect(port.listener.connections.size).toBe(0)
    server.close()
  })

  test('megabytes both ways at once, byte for byte', async () => {
    const [up, down] = [randomBytes(5_000_003), randomBytes(3_000_001)]
    const { port, server } = await portTo(kind, (peer) => peer.write(down).end())
    const client = (await port.dial()).write(up).end()
    const peer = await server.peer()
    await Promise.all([client.until(({ ended }) => ended), peer.until(({ ended }) => ended)])
    expect(sha(peer.bytes)).toBe(sha(up))
    expect(sha(client.bytes)).toBe(sha(down))
    server.close()
  })

  test('a server that does not read stops the client before memory fills', async () => {
    const { port, server } = await portTo(kind, undefined, false)
    const client = await port.dial()
    const chunk = randomBytes(1024 * 1024)
    const limit = 64
    let written = 0
    let stuck = false
    while (!stuck && written < limit) {
      written += 1
      if (client.socket.write(chunk)) continue
      const drained = new Promise<boolean>((resolve) => client.socket.once('drain', () => resolve(false)))
      stuck = await Promise.race([drained, new Promise<boolean>((resolve) => setTimeout(resolve, 250, true))])
    }
    // Windows, queues and the kernel's buffers of two connections.
    expect(written).toBeLessThan(40)
    const peer = await server.peer()
    peer.read()
    client.end()
    await peer.until(({ ended }) => ended)
    expect(peer.length).toBe(written * chunk.length)
    server.close()
  })
})

describe('a client that does not read', () => {
  test('is given no credit for what it did not take, and everything in the end', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = await port.dial({ reading: false })
    const stream = (await tunnel.stream()).accepts()
    const chunk = randomBytes(64 * 1024)
    for (let count = 0; count < 256; count += 1) stream.says(chunk)
    // No more than the kernel took.
    expect(stream.consumedBytes).toBeLessThan(8 * 1024 * 1024)
    stream.ends()
    client.read()
    client.end()
    await client.until(({ closed }) => closed)
    expect(client.length).toBe(256 * chunk.length)
    expect(stream.consumedBytes).toBe(client.length)
  })

  test('stops the origin', async () => {
    const { port, server } = await portTo('origin')
    const client = await port.dial({ reading: false })
    const peer = await server.peer()
    const chunk = randomBytes(1024 * 1024)
    let written = 0
    let stuck = false
    while (!stuck && written < 64) {
      written += 1
      if (peer.socket.write(chunk)) continue
      const drained = new Promise<boolean>((resolve) => peer.socket.once('drain', () => resolve(false)))
      stuck = await Promise.race([drained, new Promise<boolean>((resolve) => setTimeout(resolve, 250, true))])
    }
    expect(written).toBeLessThan(40)
    client.read()
    peer.end()
    await client.until(({ ended }) => ended)
    expect(client.length).toBe(written * chunk.length)
    server.close()
  })
})

test('a laptop that is slow stops the client until it says so', async () => {
  const tunnel = new TunnelDouble()
  const port = await Port.open({ tunnel })
  const client = await port.dial()
  const stream = (await tunnel.stream()).accepts()
  stream.takes = false
  const sent = randomBytes(8 * 1024 * 1024)
  client.write(sent).end()
  await stream.until(({ received }) => received.length > 0)
  const { length } = stream.received
  await turns(50)
  expect(stream.received.length).toBe(length)
  stream.drains()
  await stream.until(({ ended }) => ended)
  expect(sha(stream.received)).toBe(sha(sent))
})

describe('an Intercept that ends', () => {
  test('ends connections that its laptop still has, and no others', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.accepts()
    const port = await Port.open({ tunnel }, (peer) => peer.write('origin'))
    const held = (await port.dial()).write('opaque')
    await (await tunnel.stream()).until(({ text }) => text === 'opaque')
    port.claimFor(undefined)
    const passing = await (await port.dial()).got('origin')
    port.listener.resetLaptopConnections()
    await held.until(({ closed }) => closed)
    expect(held.failure).toBe('ECONNRESET')
    expect(tunnel.streams[0]?.resetCode).toBe('client-reset')
    expect(passing.closed).toBe(false)
  })

  test('a port that stops accepting serves what it has', async () => {
    const port = await Port.open({}, (peer) => peer.write('hello '))
    const client = await (await port.dial()).got('hello ')
    port.listener.stopAccepting()
    await expect(port.dial()).rejects.toThrow('ECONNREFUSED')
    ;(await port.origin.peer()).write('again')
    await client.got('hello again')
  })
})
