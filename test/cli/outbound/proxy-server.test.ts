import { once } from 'node:events'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ProxyHost } from '../../../cli/outbound/proxy-dial.ts'
import { ProxyServer } from '../../../cli/outbound/proxy-server.ts'
import { TunnelError } from '../../../src/tunnel/index.ts'
import { StreamDouble, TunnelDouble } from '../../proxy-pod/support/tunnel-double.ts'

/** Refuses with a code of its own. */
class Refusing extends StreamDouble {
  #refuse: ((code: string, message: string) => void) | undefined
  override handle(handlers: Parameters<StreamDouble['handle']>[0]): void {
    super.handle(handlers)
    this.#refuse = (code, message) => handlers.onRefuse?.(code, message)
  }
  refusesWith(code: string, message: string): void {
    this.#refuse?.(code, message)
  }
}

let tunnel: TunnelDouble
let proxy: ProxyServer
let port: number
let dialled: ProxyHost[]
let failures: string[]
let isUp: Promise<void>
let refusal: string | undefined

beforeEach(async () => {
  tunnel = new TunnelDouble()
  dialled = []
  failures = []
  isUp = Promise.resolve()
  refusal = undefined
  proxy = new ProxyServer({
    dial: (to) => {
      dialled.push(to)
      if (refusal === undefined) return tunnel.open({})
      const code = refusal
      const stream = new Refusing({})
      setImmediate(() => stream.refusesWith(code, 'because'))
      return stream
    },
    up: () => isUp,
    onFailure: (to, code) => failures.push(`${to.host}:${to.port} ${code}`),
  })
  port = (await proxy.listen(0)).port
})

afterEach(() => proxy.close())

async function client(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

const greeting = [5, 1, 0]
const orders = Buffer.from([5, 1, 0, 3, 6, ...Buffer.from('orders'), 0, 80])

const echo = (stream: StreamDouble): void => {
  stream.accepts()
  void stream
    .until(({ ended }) => ended)
    .then(() => {
      stream.says(stream.received).ends()
    })
}

describe('SOCKS5', () => {
  it('joins client and stream, half-close included; bytes that come early are kept', async () => {
    tunnel.laptop = echo
    const socket = await client()
    socket.end(Buffer.concat([Buffer.from(greeting), orders, Buffer.from('hello')]))
    const answer = await buffer(socket)
    expect([...answer.subarray(0, 12)]).toEqual([5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    expect(answer.subarray(12).toString()).toBe('hello')
    expect(dialled).toEqual([{ host: 'orders', port: 80 }])
    expect(proxy.open).toBe(0)
  })

  it.each([
    ['ECONNREFUSED', 5],
    ['EHOSTUNREACH', 4],
    ['name-not-found', 4],
    ['ENETUNREACH', 3],
    ['not-allowed', 2],
    ['ETIMEDOUT', 6],
    ['something', 1],
  ])('%s is reply %i', async (code, reply) => {
    refusal = code
    const socket = await client()
    socket.write(Buffer.concat([Buffer.from(greeting), orders]))
    expect([...(await buffer(socket))]).toEqual([5, 0, 5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
    expect(failures).toEqual([`orders:80 ${code}`])
  })

  it('a tunnel that stays down is an unreachable network', async () => {
    tunnel.failure = new TunnelError('tunnel-down', 'down')
    const socket = await client()
    socket.write(Buffer.concat([Buffer.from(greeting), orders]))
    expect((await buffer(socket))[3]).toBe(3)
  })

  it('a stream that breaks resets the client', async () => {
    tunnel.laptop = (stream) => stream.accepts()
    const socket = await client()
    socket.write(Buffer.concat([Buffer.from(greeting), orders]))
    const stream = await tunnel.stream()
    await once(socket, 'data')
    socket.resume()
    const failed = once(socket, 'error')
    stream.resets()
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
  })
})

/** One request by Node's client. */
async function ask(
  options: http.RequestOptions,
  body = '',
): Promise<{ status: number | undefined; body: string; headers: http.IncomingHttpHeaders }> {
  const request = http.request({ host: '127.0.0.1', port, agent: false, ...options })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return { status: response.statusCode, body: await text(response), headers: response.headers }
}

describe('HTTP', () => {
  it('CONNECT joins client and stream', async () => {
    tunnel.laptop = echo
    const socket = await client()
    socket.write('CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    const [head] = (await once(socket, 'data')) as [Buffer]
    expect(String(head)).toBe('HTTP/1.1 200 Connection established\r\n\r\n')
    socket.end('hello')
    expect(await text(socket)).toBe('hello')
    expect(dialled).toEqual([{ host: '2001:db8::1', port: 443 }])
  })

  it.each([
    ['ECONNREFUSED', 502],
    ['name-not-found', 502],
    ['not-allowed', 403],
    ['ETIMEDOUT', 504],
    ['tunnel-down', 504],
  ])('%s is status %i, in both forms, with the reason', async (code, status) => {
    refusal = code
    const socket = await client()
    socket.write('CONNECT orders:443 HTTP/1.1\r\nHost: orders:443\r\n\r\n')
    expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} .*orders:443: because \\(${code}\\)\n$`, 's'))
    const answer = await ask({ path: 'http://orders/', headers: { host: 'orders' } })
    expect(answer).toMatchObject({ status, body: `orders:80: because (${code})\n` })
  })

  it('passes requests in absolute form on in origin form, with what belongs to them only', async () => {
    tunnel.laptop = (stream) => {
      stream.accepts()
      void stream
        .until(({ text: sent }) => sent.includes('0\r\n\r\n'))
        .then(() =>
          stream.says('HTTP/1.1 201 Made\r\nX-Who: orders\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nmade').ends(),
        )
    }
    const answer = await ask(
      {
        method: 'POST',
        path: 'http://orders:8080/new?a=%2F',
        headers: {
          Host: 'orders:8080',
          'Proxy-Connection': 'keep-alive',
          'Proxy-Authorization': 'x',
          'X-Case': '1',
          'Transfer-Encoding': 'chunked',
        },
      },
      'the body',
    )
    expect(answer).toMatchObject({
      status: 201,
      body: 'made',
      headers: { 'x-who': 'orders', 'set-cookie': ['a', 'b'] },
    })
    expect(dialled).toEqual([{ host: 'orders', port: 8080 }])
    const sent = (await tunnel.stream()).text
    expect(sent).toMatch(/^POST \/new\?a=%2F HTTP\/1\.1\r\n/)
    expect(sent).toContain('X-Case: 1\r\n')
    expect(sent).toContain('Host: orders:8080\r\n')
    expect(sent).toContain('Connection: close\r\n')
    expect(sent).toContain('the body')
    expect(sent).not.toMatch(/proxy-/i)
  })

  it('lets a request become a WebSocket', async () => {
    tunnel.laptop = (stream) => {
      stream.accepts()
      void stream
        .until(({ text: sent }) => sent.includes('\r\n\r\n'))
        .then(() =>
          stream.says('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi'),
        )
    }
    const socket = await client()
    socket.write('GET http://orders/live HTTP/1.1\r\nHost: orders\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    let seen = ''
    for await (const chunk of socket) {
      seen += chunk
      if (seen.endsWith('hi')) break
    }
    expect(seen).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n.*\r\n\r\nhi$/s)
    const stream = await tunnel.stream()
    expect(stream.text).toMatch(/^GET \/live HTTP\/1\.1\r\n.*Upgrade: websocket/s)
    await stream.until(({ ended }) => ended)
  })

  it('says why a WebSocket did not come about', async () => {
    refusal = 'ECONNREFUSED'
    const socket = await client()
    socket.write('GET http://orders/live HTTP/1.1\r\nHost: orders\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 502 .*orders:80: because/s)
  })

  it.each([
    ['a page of another site', { origin: 'https://evil.example' }, 403],
    ['no site', { origin: 'null' }, 403],
    ['another site in the background', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    ['the same site', { origin: 'http://orders' }, 502],
    ['a page of this machine', { origin: 'http://localhost:3000' }, 502],
    ['a link', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, 502],
  ])('%s', async (_what, headers, status) => {
    refusal = 'ECONNREFUSED'
    expect(await ask({ path: 'http://orders/', headers: { host: 'orders', ...headers } })).toMatchObject({ status })
    expect(dialled).toHaveLength(status === 403 ? 0 : 1)
  })

  it.each(['/', 'https://orders/', 'http://[/'])('answers %s itself', async (path) => {
    expect(await ask({ path })).toMatchObject({ status: 400 })
    expect(dialled).toEqual([])
  })

  it('a lost answer is no whole one', async () => {
    tunnel.laptop = (stream) => {
      stream.accepts()
      void stream
        .until(({ text: sent }) => sent.includes('\r\n\r\n'))
        .then(() => {
          stream.says('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
          setImmediate(() => stream.resets())
        })
    }
    await expect(ask({ path: 'http://orders/', headers: { host: 'orders' } })).rejects.toThrow()
  })
})

it('whatever a client says, it is answered or ended, and the next is served', async () => {
  refusal = 'ECONNREFUSED'
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        [],
        [5],
        greeting,
        [...greeting, 5, 1, 0],
        [...Buffer.from('GET http://')],
        [...Buffer.from('CONNECT ')],
      ),
      fc.uint8Array({ maxLength: 200 }),
      async (start, bytes) => {
        const socket = await client()
        socket.on('error', () => undefined)
        const closed = once(socket, 'close')
        socket.end(Buffer.from([...start, ...bytes]))
        socket.resume()
        await closed
      },
    ),
    { numRuns: 200 },
  )
  expect(await ask({ path: 'http://orders/', headers: { host: 'orders' } })).toMatchObject({ status: 502 })
})

it('what waits for a tunnel ends with the proxy', async () => {
  let began: () => void = () => undefined
  const waiting = new Promise<void>((resolve) => {
    began = resolve
  })
  proxy.close()
  proxy = new ProxyServer({
    dial: () => tunnel.open({}),
    up: (signal) => {
      began()
      return once(signal, 'abort').then(() => signal.throwIfAborted())
    },
    onFailure: (to) => failures.push(to.host),
  })
  port = (await proxy.listen(0)).port
  const socket = await client()
  socket.on('error', () => undefined)
  socket.write(Buffer.concat([Buffer.from(greeting), orders]))
  await waiting
  const closed = once(socket, 'end')
  socket.resume()
  proxy.close()
  await closed
  expect(failures).toEqual([])
})
