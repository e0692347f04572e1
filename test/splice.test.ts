import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { resetSocket } from '../src/reset-socket.ts'
import { splice } from '../src/splice.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A connection through a splice: the two ends that see each other. */
async function joined(): Promise<{ near: Socket; far: Socket }> {
  const listen = async (onConnection: (socket: Socket) => void) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  let accepted: (socket: Socket) => void = () => undefined
  const far = new Promise<Socket>((resolve) => {
    accepted = resolve
  })
  const target = await listen((socket) => accepted(socket))
  const port = await listen((client) =>
    splice(client, connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })),
  )
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  return { near, far: await far }
}

async function readAll(socket: Socket): Promise<number> {
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  await once(socket, 'end')
  return bytes
}

test('bytes, in both directions, and each direction ends by itself', async () => {
  const { near, far } = await joined()
  near.end(Buffer.alloc(3_000_000))
  expect(await readAll(far)).toBe(3_000_000)
  expect(far.writable).toBe(true)
  far.end(Buffer.alloc(2_000_000))
  expect(await readAll(near)).toBe(2_000_000)
})

test.each(['near', 'far'] as const)('a reset of the %s end reaches the other as a reset', async (side) => {
  const ends = await joined()
  const other = side === 'near' ? ends.far : ends.near
  ends[side].on('error', () => undefined)
  ends[side].write('x')
  await once(other, 'data')
  const error = once(other, 'error')
  resetSocket(ends[side])
  expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' })
})

test('a slow reader holds the writer back', async () => {
  const { near, far } = await joined()
  far.pause()
  let written = 0
  const chunk = Buffer.alloc(64 * 1024)
  while (written < 200 * 1024 * 1024) {
    if (!near.write(chunk) && (await Promise.race([once(near, 'drain'), pause(200)])) === 'paused') break
    written += chunk.length
  }
  expect(written).toBeLessThan(64 * 1024 * 1024)
  near.destroy()
  far.destroy()
})

test('a socket that is just ending can be reset, and is closed', async () => {
  const { near, far } = await joined()
  far.on('error', () => far.destroy())
  near.on('error', (error) => expect(error).toBeUndefined())
  await new Promise((resolve) => setTimeout(resolve, 20))
  near.end()
  // Within this turn the shutdown is under way, and libuv would refuse.
  await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(() => process.nextTick(resolve))))
  resetSocket(near)
  await once(near, 'close')
})

function pause(ms: number): Promise<'paused'> {
  return new Promise((resolve) => setTimeout(() => resolve('paused'), ms))
}
