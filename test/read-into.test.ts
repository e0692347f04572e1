import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createCa, issueServingCertificate, type ServingCertificate } from '../src/pki/index.ts'
import { type ByteTaker, openReadable, ReadRoom, readInto } from '../src/read-into.ts'
import { bytesFrom, split } from './tunnel/support/bytes.ts'

let certificate: ServingCertificate
let ca: string
const opened: (Server | Socket)[] = []

beforeAll(async () => {
  const authority = await createCa()
  ca = authority.cert
  certificate = await issueServingCertificate(authority, { dnsNames: ['localhost'], ips: ['127.0.0.1'] })
})
afterEach(() => {
  for (const one of opened.splice(0)) 'destroy' in one ? one.destroy() : one.close()
})

/** Both ends of a connection, the near one opened for `readInto`. */
async function joined(secure: boolean): Promise<{ near: Socket; far: Socket }> {
  const server = secure ? createTlsServer(certificate) : createServer()
  opened.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const arrived = once(server, secure ? 'secureConnection' : 'connection') as Promise<[Socket]>
  const near = openReadable(
    (options): Socket =>
      secure
        ? connectTls({ ...options, host: '127.0.0.1', port, ca })
        : connect({ ...options, host: '127.0.0.1', port, allowHalfOpen: true }),
  )
  const [[far]] = await Promise.all([arrived, once(near, secure ? 'secureConnect' : 'connect')])
  opened.push(near, far)
  return { near, far }
}

/** Takes into `seen`, in memory of its own of changing size. */
function taker(seen: Buffer[], onFilled: () => void = () => undefined): ByteTaker {
  let room = Buffer.alloc(0)
  let turn = 0
  return {
    room: () => {
      turn += 1
      room = Buffer.alloc(1 + ((turn * 977) % 5_000))
      return room
    },
    filled: (bytes) => {
      seen.push(room.subarray(0, bytes))
      onFilled()
    },
  }
}

const sum = (chunks: readonly Buffer[]): number => chunks.reduce((total, chunk) => total + chunk.length, 0)
const size = 400_000
const sent = bytesFrom(size, 3, size)

describe.each([
  ['TCP', false],
  ['TLS', true],
])('a socket opened for readInto (%s)', (_name, secure) => {
  it('is a stream as any other where nobody takes', async () => {
    const { near, far } = await joined(secure)
    far.end(sent)
    const chunks: Buffer[] = []
    for await (const chunk of near) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(sent)).toBe(true)
  })

  it('gives every byte once and in order, whoever reads, however often that changes, with pauses', async () => {
    const { near, far } = await joined(secure)
    const seen: Buffer[] = []
    let taken = 0
    let paused = 0
    const change = (): void => {
      const turn = Math.floor(sum(seen) / 10_000)
      readInto(near, turn % 8 < 2 ? undefined : into)
      if (turn % 5 !== 4 || turn === paused) return
      paused = turn
      near.pause()
      setImmediate(() => near.resume())
    }
    const into = taker(seen, () => {
      taken += 1
      change()
    })
    let asStream = 0
    near.on('data', (chunk) => {
      asStream += 1
      seen.push(chunk)
      change()
    })
    far.end(sent)
    await once(near, 'end')
    expect(Buffer.concat(seen).equals(sent)).toBe(true)
    expect(taken).toBeGreaterThan(1)
    expect(asStream).toBeGreaterThan(1)
  })

  it('gives what the stream holds to the stream, before anything to the one who takes', async () => {
    const { near, far } = await joined(secure)
    far.write('first')
    await once(near, 'readable')
    const seen: Buffer[] = []
    const order: string[] = []
    const whole = new Promise<void>((resolve) => {
      readInto(
        near,
        taker(seen, () => {
          order.push('taken')
          if (sum(seen) >= 'firstsecondthird'.length) resolve()
        }),
      )
    })
    far.write('second')
    await once(near, 'readable')
    near.on('data', (chunk) => {
      order.push('data')
      seen.push(chunk)
      if (sum(seen) === 'firstsecond'.length) far.write('third')
    })
    await whole
    expect(order[0]).toBe('data')
    expect(Buffer.concat(seen).toString()).toBe('firstsecondthird')
  })

  it('reads no more while it is paused', async () => {
    const { near, far } = await joined(secure)
    const seen: Buffer[] = []
    let allowed = 100_000
    readInto(
      near,
      taker(seen, () => {
        if (sum(seen) >= allowed) near.pause()
      }),
    )
    near.on('data', (chunk) => seen.push(chunk))
    far.write(sent)
    await once(near, 'pause')
    const held = sum(seen)
    // Whatever else comes up in this turn of the event loop and the next ones.
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    expect(sum(seen)).toBe(held)
    expect(held).toBeLessThan(size)
    allowed = Number.POSITIVE_INFINITY
    near.resume()
    far.end()
    await once(near, 'end')
    expect(Buffer.concat(seen).equals(sent)).toBe(true)
  })

  it('ends as the stream does', async () => {
    const { near, far } = await joined(secure)
    const seen: Buffer[] = []
    readInto(near, taker(seen))
    near.on('data', (chunk) => seen.push(chunk))
    far.end('word')
    await once(near, 'end')
    near.end()
    await once(near, 'close')
    expect(Buffer.concat(seen).toString()).toBe('word')
  })
})

it('breaks as the stream does, where it is taken', async () => {
  const { near, far } = await joined(false)
  readInto(near, taker([]))
  near.on('data', () => undefined)
  const error = once(near, 'error')
  far.resetAndDestroy()
  expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' })
  expect(near.destroyed).toBe(true)
})

describe('ReadRoom', () => {
  it('never gives memory twice, and keeps what was taken', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(70_000), { maxLength: 12 }), (cuts) => {
        const memory = new ReadRoom(10_000)
        const views: Buffer[] = []
        for (const piece of split(sent.subarray(0, 70_000), cuts)) {
          for (let at = 0; at < piece.length; ) {
            const room = memory.room()
            expect(room.length).toBeGreaterThan(0)
            expect(room.length).toBeLessThanOrEqual(10_000)
            const bytes = piece.copy(room, 0, at)
            views.push(memory.take(bytes))
            at += bytes
          }
        }
        expect(Buffer.concat(views).equals(sent.subarray(0, 70_000))).toBe(true)
      }),
    )
  })

  it('grows with reads that fill it, and shrinks with small ones', () => {
    const memory = new ReadRoom(65_507)
    const first = memory.room().length
    for (let read = 0; read < 5; read += 1) memory.take(memory.room().length)
    expect(memory.room().length).toBe(65_507)
    for (let read = 0; read < 5_000; read += 1) {
      memory.room()
      memory.take(100)
    }
    expect(memory.room().length).toBeLessThanOrEqual(first)
  })
})
