import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type PipeOptions, type PipeOutcome, pipeSocket } from '../../src/tunnel/index.ts'
import { turns } from './support/bytes.ts'
import { type TunnelPair, tunnelPair } from './support/tunnel-pair.ts'

const servers: Server[] = []
let pair: TunnelPair | undefined
afterEach(async () => {
  await pair?.close()
  for (const server of servers.splice(0)) server.close()
})

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onSocket)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

const dial = (port: number) => connect({ port, host: '127.0.0.1', allowHalfOpen: true })

/** caller -> listener -> tunnel -> local process. Resolves with the caller's port and how each pipe ended. */
async function path(onLocal: (socket: Socket) => void, options: PipeOptions = {}) {
  const local = await listen(onLocal)
  pair = await tunnelPair({ transport: 'web-socket' })
  await pair.client.became('up')
  const server = await pair.server
  const outcomes: PipeOutcome[] = []
  const onClose = (outcome: PipeOutcome) => void outcomes.push(outcome)
  pair.client.onStream = (stream) => pipeSocket(stream, dial(local), { onClose })
  const port = await listen((socket) => pipeSocket(server.tunnel.open({}), socket, { onClose, ...options }))
  return { port, outcomes, server }
}

/** All text until the other side ends; leaves our side open. */
function read(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve, reject) => {
    socket.once('end', () => resolve(text))
    socket.once('error', reject)
  })
}

const failure = (socket: Socket) => new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve))

describe('pipeSocket', () => {
  it('carries half-closes one after the other: the caller first', async () => {
    const { port, outcomes } = await path(async (socket) => {
      const asked = await read(socket)
      socket.end(`you said ${asked}`)
    })
    const caller = dial(port)
    caller.end('hello')
    expect(await read(caller)).toBe('you said hello')
    while (outcomes.length < 2) await turns(1)
    expect(outcomes.map(({ how }) => how)).toEqual(['done', 'done'])
    expect(outcomes.map(({ bytesIn, bytesOut }) => bytesIn + bytesOut)).toEqual([19, 19])
  })

  it('carries half-closes one after the other: the local process first', async () => {
    const heard: Promise<string>[] = []
    const { port, outcomes } = await path((socket) => {
      socket.end('220 ready')
      heard.push(read(socket))
    })
    const caller = dial(port)
    expect(await read(caller)).toBe('220 ready')
    caller.end('thanks')
    while (outcomes.length < 2) await turns(1)
    expect(await heard[0]).toBe('thanks')
  })

  it('carries a reset by the caller as a reset', async () => {
    const resets: Promise<NodeJS.ErrnoException>[] = []
    const { port, outcomes } = await path((socket) => {
      resets.push(failure(socket))
      socket.write('ready')
    })
    const caller = dial(port)
    await new Promise((resolve) => caller.once('data', resolve))
    caller.resetAndDestroy()
    while (outcomes.length < 2) await turns(1)
    expect((await resets[0])?.code).toBe('ECONNRESET')
    expect(outcomes).toContainEqual(expect.objectContaining({ how: 'reset', by: 'stream', code: 'ECONNRESET' }))
  })

  it('carries a reset by the local process as a reset', async () => {
    const { port } = await path((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.resetAndDestroy())
    })
    const caller = dial(port)
    const reset = failure(caller)
    caller.write('hello')
    expect((await reset).code).toBe('ECONNRESET')
  })

  it('stops a fast sender for a slow reader, and loses nothing', async () => {
    const total = 24 * 1024 * 1024
    const { port, server } = await path((socket) => {
      let left = total
      const pour = () => {
        for (let more = true; more && left > 0; left -= 65_536) more = socket.write(Buffer.alloc(65_536, left / 65_536))
        if (left > 0) socket.once('drain', pour)
        else socket.end()
      }
      pour()
      socket.on('error', () => socket.destroy())
      socket.resume()
    })
    const caller = dial(port)
    caller.pause()
    for (let before = -1; before !== server.tunnel.stats.bytesIn || before === 0; ) {
      before = server.tunnel.stats.bytesIn
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    expect(server.tunnel.stats.bytesIn).toBeLessThan(total * 0.8)
    let bytes = 0
    caller.on('data', (chunk) => {
      bytes += chunk.length
    })
    caller.resume()
    caller.end()
    await new Promise((resolve) => caller.once('end', resolve))
    expect(bytes).toBe(total)
  })

  it('refuses the stream when the local process does not listen, and hands the caller back with its first bytes', async () => {
    pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    const nobody = await listen(() => undefined)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    pair.client.onStream = (stream) => pipeSocket(stream, dial(nobody))
    const port = await listen((socket) =>
      pipeSocket(server.tunnel.open({}), socket, {
        onRefuse: (code, _message, { head, ended }) => {
          socket.end(`${code} ${head} ${ended}`)
          socket.resume()
        },
      }),
    )
    const caller = dial(port)
    caller.write('first ')
    caller.write('bytes')
    expect(await read(caller)).toMatch(/^ECONNREFUSED (first )?(bytes)? ?/)
    caller.end()
  })

  it('hands back everything that was read, and no more than it may keep', async () => {
    pair = await tunnelPair()
    await pair.client.became('up')
    const server = await pair.server
    let refuse: () => void = () => undefined
    pair.client.onStream = (stream) => {
      refuse = () => stream.refuse('busy', 'later')
    }
    const handed: { head: Buffer; ended: boolean }[] = []
    const port = await listen((socket) =>
      pipeSocket(server.tunnel.open({}), socket, {
        head: Buffer.from('sniffed'),
        keepBytes: 20_000,
        onRefuse: (_code, _message, read) => {
          handed.push(read)
          socket.destroy()
        },
      }),
    )
    const caller = dial(port)
    caller.on('error', () => undefined)
    caller.write(Buffer.alloc(1_000_000, 0x61))
    await new Promise((resolve) => setTimeout(resolve, 50))
    refuse()
    while (handed.length === 0) await turns(1)
    expect(handed[0]?.head.subarray(0, 8).toString()).toBe('sniffeda')
    expect(handed[0]?.head.length).toBeGreaterThanOrEqual(20_000)
    expect(handed[0]?.head.length).toBeLessThan(20_000 + 2 * 65_536)
  })

  it('goes on over a new carrier as if nothing had been', async () => {
    const { port } = await path(async (socket) => {
      const asked = await read(socket)
      socket.end(asked.toUpperCase())
    })
    const caller = dial(port)
    caller.write('one ')
    await new Promise((resolve) => setTimeout(resolve, 20))
    pair?.cut()
    caller.end('two')
    expect(await read(caller)).toBe('ONE TWO')
  })
})
