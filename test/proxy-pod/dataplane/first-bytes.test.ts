import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { TunnelHealth } from '../../../proxy-pod/dataplane/tunnel-health.ts'
import { TunnelError } from '../../../src/tunnel/index.ts'
import { closedPort, Peer, TcpServer, turns } from '../support/peer.ts'
import { Port } from '../support/port.ts'
import { type StreamDouble, TunnelDouble } from '../support/tunnel-double.ts'

const sizes = [
  ['one byte', 1],
  ['a request', 900],
  ['exactly what is kept', 64 * 1024],
  ['more than is kept', 1024 * 1024],
] as const

describe('a connection that the laptop refuses', () => {
  test.each(sizes)('reaches the origin with every byte in order: %s', async (_name, size) => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const sent = randomBytes(size)
    const client = (await port.dial()).write(sent).end()
    const stream = await tunnel.stream()
    await stream.until(({ received }) => received.length >= Math.min(size, 64 * 1024))
    stream.refuses()
    const origin = await port.origin.peer()
    await origin.until(({ ended }) => ended)
    expect(origin.bytes.equals(sent)).toBe(true)
    await client.got('')
  })

  test('that has half-closed already, is half-closed at the origin too, and gets its answer', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = (await port.dial()).write('all I have to say').end()
    const stream = await tunnel.stream()
    await stream.until(({ ended }) => ended)
    stream.refuses()
    const origin = await port.origin.peer()
    await origin.until(({ ended }) => ended)
    expect(origin.text).toBe('all I have to say')
    origin.write('thanks').end()
    await client.until(({ ended }) => ended)
    expect(client.text).toBe('thanks')
    expect(port.counts).toMatchObject({ upstreams: ['laptop', 'origin'], failOpens: ['nothing listens'] })
  })

  test('is kept waiting by at most 64 KiB and what the kernel holds', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    ;(await port.dial()).write(randomBytes(16 * 1024 * 1024))
    const stream = await tunnel.stream()
    await stream.until(({ received }) => received.length >= 64 * 1024)
    const { length } = stream.received
    expect(length).toBeLessThan(64 * 1024 + 64 * 1024)
    await turns(50)
    expect(stream.received.length).toBe(length)
  })

  test('before anything was said, still reaches a server that speaks first', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.refuses()
    const port = await Port.open({ tunnel }, (peer) => peer.write('220 origin\r\n'))
    await (await port.dial()).got('220 origin\r\n')
  })

  test.each([
    ['refused', (stream: StreamDouble) => stream.refuses()],
    ['reset before it was accepted', (stream: StreamDouble) => stream.resets('session-lost')],
  ])('with onLocalDown fail breaks off: %s', async (_name, laptop) => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = laptop
    const port = await Port.open({ tunnel, onLocalDown: 'fail' })
    const client = (await port.dial()).write('GET / HTTP/1.1\r\n\r\n')
    await client.until(({ closed }) => closed)
    expect(client.failure).toBe('ECONNRESET')
    expect(port.origin.peers).toHaveLength(0)
    expect(port.counts.refusals).toHaveLength(1)
  })
})

describe('a connection that the laptop accepted', () => {
  test('belongs to it: what it was sent reaches nobody else', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => stream.accepts()
    const port = await Port.open({ tunnel })
    const client = (await port.dial()).write('SELECT 1')
    const stream = await tunnel.stream()
    await stream.until(({ text }) => text === 'SELECT 1')
    stream.resets()
    await client.until(({ closed }) => closed)
    expect(client.failure).toBe('ECONNRESET')
    expect(port.origin.peers).toHaveLength(0)
  })

  test('is told from where it comes, and for what', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel })
    const client = await port.dial()
    expect((await tunnel.stream()).header).toEqual({
      intercept: 'shop/orders-ada',
      port: 80,
      proto: 'tcp',
      client: `127.0.0.1:${client.socket.localPort}`,
    })
  })

  test('late, after the origin has it already, gets nothing and disturbs nothing', async () => {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel, acceptTimeoutMs: 20 })
    const client = (await port.dial()).write('ping')
    const origin = await port.origin.peer()
    await origin.got('ping')
    const stream = await tunnel.stream()
    expect(stream.resetCode).toBe('not-accepted-in-time')
    stream.accepts().says('from the laptop')
    stream.resets()
    origin.write('pong').end()
    await client.until(({ ended }) => ended)
    expect(client.text).toBe('pong')
  })
})

describe('no origin either', () => {
  test('a refusing endpoint is skipped, no byte is lost', async () => {
    const other = await new TcpServer().listen()
    const dead = { address: '127.0.0.1', port: await closedPort() }
    const port = await Port.open({ endpoints: [dead, other.endpoint, dead] })
    for (let count = 0; count < 4; count += 1) (await port.dial()).write(`hello ${count}`).end()
    const texts = await Promise.all(
      [0, 1, 2, 3].map(async (index) => (await (await other.peer(index)).until(({ ended }) => ended)).text),
    )
    expect(texts.sort()).toEqual(['hello 0', 'hello 1', 'hello 2', 'hello 3'])
    other.close()
  })

  test.each([
    ['no endpoint', async () => []],
    ['none that accepts', async () => [{ address: '127.0.0.1', port: await closedPort() }]],
  ])('the client is told by a reset: %s', async (_name, endpoints) => {
    const port = await Port.open({ endpoints: await endpoints() })
    const client = new Peer(connect(port.number, '127.0.0.1')).write('hello')
    await client.until(({ closed }) => closed)
    expect(client.failure).toBe('ECONNRESET')
    expect(port.counts.refusals).toHaveLength(1)
    await turns()
    expect(port.listener.connections.size).toBe(0)
  })
})

describe('a laptop that cannot be asked', () => {
  test('because its tunnel takes no more streams: the origin answers', async () => {
    const tunnel = new TunnelDouble()
    tunnel.failure = new TunnelError('tunnel-draining', 'the laptop is leaving')
    const port = await Port.open({ tunnel }, (peer) => peer.write('from the origin'))
    await (await port.dial()).got('from the origin')
    expect(port.counts.failOpens).toEqual(['the laptop is leaving'])
    expect(port.origin.peers).toHaveLength(1)
  })

  test.each(['connecting', 'down', 'closed'] as const)('because its tunnel is %s: not even tried', async (state) => {
    const tunnel = new TunnelDouble()
    tunnel.state = state
    const port = await Port.open({ tunnel }, (peer) => peer.write('from the origin'))
    await (await port.dial()).got('from the origin')
    expect(tunnel.streams).toHaveLength(0)
  })
})

describe('a tunnel that goes down while the laptop is asked', () => {
  async function asked(first: string, acceptTimeoutMs?: number) {
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel, ...(acceptTimeoutMs ? { acceptTimeoutMs } : {}) })
    const client = (await port.dial()).write(first)
    const stream = await (await tunnel.stream()).until(({ text }) => text === first)
    tunnel.state = 'down'
    port.tunnelChanged()
    return { tunnel, port, client, stream }
  }

  test.each(['', 'GET / HTTP/1.1\r\n\r\n'])('what may be asked twice goes to the origin at once: %j', async (first) => {
    const { port, client } = await asked(first)
    const origin = await (await port.origin.peer()).got(first)
    origin.write('pong')
    await client.got('pong')
  })

  test.each(['POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n', 'EXEC pay', 'GET / HTTP/1.1\r\n'])(
    'anything else waits for the laptop, which may have it: %j',
    async (first) => {
      const { tunnel, port, client, stream } = await asked(first)
      await turns()
      tunnel.state = 'up'
      port.tunnelChanged()
      stream.accepts().says('done')
      await client.got('done')
      expect(port.origin.peers).toHaveLength(0)
    },
  )

  test('but no longer than a laptop may take to accept', async () => {
    const { port } = await asked('EXEC pay', 30)
    await (await port.origin.peer()).got('EXEC pay')
  })
})

describe('a link that has gone silent', () => {
  const start = async (): Promise<{ port: Port; tunnel: TunnelDouble; pass: (ms: number) => void }> => {
    let now = 1_000_000
    const tunnel = new TunnelDouble()
    const port = await Port.open({ tunnel, acceptTimeoutMs: 20, health: new TunnelHealth(() => now) }, (peer) =>
      peer.write('origin'),
    )
    // The first finds out, and is answered by the origin after its time.
    await (await port.dial()).got('origin')
    return {
      port,
      tunnel,
      pass: (ms) => {
        now += ms
      },
    }
  }

  test('delays one connection a second, the others go to the origin at once', async () => {
    const { port, tunnel, pass } = await start()
    for (let count = 0; count < 5; count += 1) await (await port.dial()).got('origin')
    expect(tunnel.streams).toHaveLength(1)
    pass(1_001)
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => port.dial()))
    await Promise.all(clients.map((client) => client.got('origin')))
    expect(tunnel.streams).toHaveLength(2)
  })

  test.each([
    ['accepts', (stream: StreamDouble) => void stream.accepts().says('laptop')],
    ['refuses', (stream: StreamDouble) => stream.refuses()],
  ])('is whole again once the laptop %s one', async (how, laptop) => {
    const { port, tunnel, pass } = await start()
    tunnel.laptop = laptop
    pass(1_001)
    const expected = how === 'accepts' ? 'laptop' : 'origin'
    await (await port.dial()).got(expected)
    await Promise.all([1, 2, 3].map(async () => (await port.dial()).got(expected)))
    expect(tunnel.streams).toHaveLength(5)
  })

  test('a probe whose client hangs up does not keep the laptop from being asked again', async () => {
    const { port, tunnel, pass } = await start()
    pass(1_001)
    const hasty = await port.dial()
    await tunnel.stream(1)
    hasty.reset()
    await tunnel.streams[1]?.until(({ resetCode }) => resetCode !== undefined)
    tunnel.laptop = (stream) => void stream.accepts().says('laptop')
    pass(1_001)
    await (await port.dial()).got('laptop')
  })

  test('a probe that the tunnel takes no stream for does not either', async () => {
    const { port, tunnel, pass } = await start()
    pass(1_001)
    tunnel.failure = new TunnelError('too-many-streams', '1024 streams are open')
    await (await port.dial()).got('origin')
    tunnel.failure = undefined
    tunnel.laptop = (stream) => void stream.accepts().says('laptop')
    pass(1_001)
    await (await port.dial()).got('laptop')
  })

  test('a probe that is reset on its way does not either', async () => {
    const { port, tunnel, pass } = await start()
    pass(1_001)
    tunnel.laptop = (stream) => stream.resets('session-lost')
    await (await port.dial()).got('origin')
    tunnel.laptop = (stream) => void stream.accepts().says('laptop')
    pass(1_001)
    await (await port.dial()).got('laptop')
  })
})

test('a client that hangs up before the laptop accepted says nothing about the link', async () => {
  // Load balancers check ports like that.
  const tunnel = new TunnelDouble()
  const port = await Port.open({ tunnel, acceptTimeoutMs: 30 })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const check = await port.dial()
    const stream = await tunnel.stream()
    check.reset()
    await stream.until(({ resetCode }) => resetCode !== undefined)
    vi.advanceTimersByTime(100)
    tunnel.laptop = (next) => void next.accepts().says('laptop')
    await (await port.dial()).got('laptop')
  } finally {
    vi.useRealTimers()
  }
})
