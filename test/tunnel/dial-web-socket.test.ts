import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Carrier, dialWebSocket } from '../../src/tunnel/index.ts'
import { type CarrierServer, listenForCarriers } from './support/web-socket-server.ts'

let server: CarrierServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function joined(): Promise<[Carrier, Carrier]> {
  let far: Carrier | undefined
  server = await listenForCarriers((carrier) => {
    far = carrier
  })
  const near = await dialWebSocket({ url: server.url })
  return [near, far as Carrier]
}

const message = (carrier: Carrier) =>
  new Promise<Buffer>((resolve) => {
    carrier.onMessage = resolve
  })

describe('a WebSocket carrier', () => {
  it.each([1, 125, 126, 8_192, 8_193, 65_535, 65_536, 200_000])(
    'carries %i bytes in one message, both ways',
    async (size) => {
      const [near, far] = await joined()
      const bytes = Buffer.alloc(size, 0x5a)
      const pieces = [bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)]
      far.send(pieces)
      expect((await message(near)).equals(bytes)).toBe(true)
      near.send(pieces)
      expect((await message(far)).equals(bytes)).toBe(true)
    },
  )

  it('keeps what arrives before somebody reads', async () => {
    const [near, far] = await joined()
    far.send([Buffer.from('early')])
    far.close(1_000, 'bye')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await message(near)).toString()).toBe('early')
    expect(
      await new Promise((resolve) => {
        near.onClose = resolve
      }),
    ).toContain('bye')
  })

  it('tells who cut it', async () => {
    const [near, far] = await joined()
    near.onMessage = () => undefined
    far.onMessage = () => undefined
    for (const socket of server?.sockets ?? []) socket.destroy()
    expect(
      await new Promise((resolve) => {
        near.onClose = resolve
      }),
    ).toContain('1006')
  })

  it('refuses a message that no honest peer sends', async () => {
    const [near, far] = await joined()
    near.onMessage = () => undefined
    far.send([Buffer.alloc(300 * 1_024)])
    far.onMessage = () => undefined
    expect(
      await new Promise((resolve) => {
        near.onClose = resolve
      }),
    ).toMatch(/payload/i)
  })

  it('reports how much the kernel has not taken, and when it has', async () => {
    const [near, far] = await joined()
    for (let index = 0; index < 200; index += 1) near.send([Buffer.alloc(100_000)])
    expect(near.bufferedBytes).toBeGreaterThan(1_000_000)
    const drained = new Promise<void>((resolve) => {
      near.onDrain = resolve
    })
    far.onMessage = () => undefined
    await drained
    expect(near.bufferedBytes).toBe(0)
  })
})

describe('dialWebSocket', () => {
  it('brings the status and the text of an answer that is no upgrade', async () => {
    server = await listenForCarriers(() => undefined)
    await expect(dialWebSocket({ url: server.url.replace('/tunnel', '/forbidden') })).rejects.toMatchObject({
      code: 'carrier-refused',
      status: 403,
      detail: 'you are nobody',
    })
  })

  it('says what failed', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const { port } = closed.address() as { port: number }
    await new Promise((resolve) => closed.close(resolve))
    await expect(dialWebSocket({ url: `ws://127.0.0.1:${port}/` })).rejects.toMatchObject({
      code: 'carrier-failed',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('gives up when told to', async () => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1')
    await new Promise((resolve) => mute.once('listening', resolve))
    const { port } = mute.address() as { port: number }
    const abort = new AbortController()
    const dial = dialWebSocket({ url: `ws://127.0.0.1:${port}/`, signal: abort.signal })
    abort.abort()
    await expect(dial).rejects.toMatchObject({ code: 'carrier-failed' })
    mute.close()
  })
})
