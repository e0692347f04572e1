import { describe, expect, onTestFinished, test } from 'vitest'
import { Agent, type AgentEvents } from '../../cli/agent/agent.ts'
import { isListening } from '../../cli/agent/local-process.ts'
import type { Tunnel } from '../../src/tunnel/index.ts'
import { closedPort, TcpServer, turns } from '../proxy-pod/support/peer.ts'
import { RecordedStream } from '../tunnel/support/recorded-stream.ts'
import { tunnelPair } from '../tunnel/support/tunnel-pair.ts'

/** An agent behind a real tunnel; `ask` opens a stream as a proxy pod does. */
async function agentFor(localPort: number, holdMs = 0) {
  const told: string[] = []
  const events: AgentEvents = {
    onConnection: (port) => told.push(`connection ${port}`),
    onClosed: (port) => told.push(`closed ${port}`),
    onExchange: (port, { method, target, status }) => told.push(`${port} ${method} ${target} ${status}`),
    onLocalDown: (port, local) => told.push(`down ${port} ${local}`),
  }
  const pair = await tunnelPair()
  const agent = new Agent(new Map([[80, localPort]]), holdMs, events)
  pair.client.onStream = (stream) => agent.serve(stream)
  await pair.client.became('up')
  const tunnel: Tunnel = (await pair.server).tunnel
  onTestFinished(() => pair.close())
  return { told, pair, ask: (port: unknown = 80) => new RecordedStream(tunnel.open({ port, proto: 'tcp' })) }
}

async function localProcess(...options: ConstructorParameters<typeof TcpServer>): Promise<TcpServer> {
  const server = await new TcpServer(...options).listen()
  onTestFinished(() => server.close())
  return server
}

describe('a connection from the cluster', () => {
  test('is one to the local process, and its requests are told', async () => {
    const server = await localProcess((peer) => peer.write('HTTP/1.1 204 No Content\r\n\r\n'))
    const { ask, told } = await agentFor(server.port)
    const caller = ask()
    caller.stream.write(Buffer.from('GET /orders HTTP/1.1\r\n\r\n'))
    caller.stream.end()
    const peer = await (await server.peer()).until(({ ended }) => ended)
    expect(peer.text).toBe('GET /orders HTTP/1.1\r\n\r\n')
    peer.end()
    await caller.until(({ ended }) => ended)
    expect(caller.events).toEqual(['accept', 'end'])
    await turns()
    expect(told[0]).toBe('connection 80')
    expect(told.at(-1)).toBe('closed 80')
  })

  test('reaches a process that listens on IPv6 only', async () => {
    const server = new TcpServer((peer) => peer.write('six').end())
    await server.listen(0, '::1')
    onTestFinished(() => server.close())
    const { ask } = await agentFor(server.port)
    expect((await ask().until(({ ended }) => ended)).text).toBe('six')
    expect(await isListening(server.port)).toBe(true)
  })

  test.each([[81], ['80'], ['80x'], [[80]], [null], [{ toString: 'x' }], [-80], ['']])(
    'for a port that is not intercepted here reaches nobody: %j',
    async (port) => {
      const server = await localProcess()
      const { ask } = await agentFor(server.port)
      const caller = await ask(port).until(({ events }) => events.length > 0)
      expect(caller.events).toEqual(['refuse'])
      expect(caller.code).toBe('no-such-port')
      expect(server.peers).toHaveLength(0)
    },
  )
})

describe('a local process that is down', () => {
  test('refuses: the proxy pod can ask somebody else', async () => {
    const port = await closedPort()
    const { ask, told } = await agentFor(port)
    const caller = ask()
    caller.stream.write(Buffer.from('not lost'))
    await caller.until(({ events }) => events.length > 0)
    expect(caller.events).toEqual(['refuse'])
    expect(caller.message).toContain(`localhost:${port}`)
    expect(told).toEqual([`down 80 ${port}`])
    expect(await isListening(port)).toBe(false)
  })

  test('is waited for with hold, and gets everything that was said meanwhile, in order', async () => {
    const port = await closedPort()
    const { ask, told } = await agentFor(port, 5_000)
    const caller = ask()
    caller.stream.write(Buffer.from('first '))
    await turns()
    caller.stream.write(Buffer.from('second'))
    caller.stream.end()
    const server = new TcpServer((peer) => peer.write('here I am').end())
    await server.listen(port)
    onTestFinished(() => server.close())
    const peer = await (await server.peer()).until(({ ended }) => ended)
    expect(peer.text).toBe('first second')
    await caller.until(({ ended }) => ended)
    expect(caller.text).toBe('here I am')
    expect(told.filter((one) => one.startsWith('down'))).toEqual([])
  })

  test('is waited for no longer than hold says', async () => {
    const { ask, told } = await agentFor(await closedPort(), 250)
    const startedAt = performance.now()
    const caller = await ask().until(({ events }) => events.length > 0)
    expect(caller.events).toEqual(['refuse'])
    expect(performance.now() - startedAt).toBeGreaterThan(240)
    expect(told).toHaveLength(1)
  })

  test('is not bothered by a caller that has gone while it was waited for', async () => {
    const port = await closedPort()
    const { ask, told } = await agentFor(port, 5_000)
    const caller = ask()
    caller.stream.write(Buffer.from('never mind'))
    await turns()
    caller.stream.reset()
    await turns()
    const server = await new TcpServer().listen(port)
    onTestFinished(() => server.close())
    // Another one shows that the agent has looked again meanwhile.
    const next = ask()
    next.stream.write(Buffer.from('but I am here'))
    await (await server.peer()).got('but I am here')
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(server.peers).toHaveLength(1)
    expect(told).toEqual(['connection 80'])
  })
})

test('a caller that goes at once delivers nothing', async () => {
  const server = await localProcess()
  const { ask, told } = await agentFor(server.port)
  for (let count = 0; count < 20; count += 1) {
    const caller = ask()
    caller.stream.write(Buffer.from('x'))
    caller.stream.reset()
  }
  const last = ask()
  last.stream.write(Buffer.from('last'))
  await last.until(({ events }) => events.length > 0)
  await turns(50)
  const texts = server.peers.map(({ text }) => text).filter((text) => text !== '')
  expect(texts).toEqual(['last'])
  expect(told).toEqual(['connection 80'])
})
