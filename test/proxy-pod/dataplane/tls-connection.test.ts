import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { Agent, request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Claim, ClaimTls } from '../../../proxy-pod/dataplane/route.ts'
import { TlsCertificate } from '../../../proxy-pod/dataplane/tls-certificate.ts'
import type { Tunnel } from '../../../src/tunnel/index.ts'
import { filteredClaim } from '../support/claims.ts'
import { server as http2Server, says } from '../support/http2-port.ts'
import { laptop } from '../support/laptop.ts'
import { closedPort, TcpServer } from '../support/peer.ts'
import { Port } from '../support/port.ts'
import { certificateFor, httpServer, httpsServer, nameOf, secureDial } from '../support/tls.ts'

const servername = 'orders.shop.svc'
const certificate = new TlsCertificate(await certificateFor(servername))
const another = await certificateFor('another')

const tls = (changes: Partial<ClaimTls> = {}): ClaimTls => ({
  certificate: () => certificate,
  toLocal: false,
  ...changes,
})

const mine = (tunnel: Tunnel | undefined, changes: Partial<Claim> = {}) =>
  filteredClaim(tunnel, { tls: tls(), ...changes })

const open = (originPort: number, ...claims: Claim[]): Promise<Port> =>
  Port.open({ endpoints: [{ address: '127.0.0.1', port: originPort }], claims })

interface Got {
  readonly who: string
  readonly version: string
  readonly certificate: string | undefined
}

/** One HTTP/1.1 request. */
function ask(port: Port, path: string, agent: Agent | false = false, options: ConnectionOptions = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port: port.number, path, servername, rejectUnauthorized: false, agent, ...options },
      (response) => {
        const { headers } = response
        const certificate = nameOf(response.socket as TLSSocket)
        response.resume().on('end', () => {
          resolve({ who: String(headers['x-who']), version: String(headers['x-version']), certificate })
        })
      },
    )
    asked.on('error', reject).end()
  })
}

function http2(port: Port) {
  const session = connectHttp2(`https://127.0.0.1:${port.number}`, { servername, rejectUnauthorized: false })
  session.on('error', () => undefined)
  onTestFinished(() => session.destroy())
  return {
    session,
    ask: async (path: string): Promise<string> => {
      const stream = session.request({ ':path': path })
      return (await buffer(stream)).toString()
    },
  }
}

describe('HTTP/1.1', () => {
  test('each request of a connection goes to whom it belongs to', async () => {
    const origin = await httpsServer('origin')
    const port = await open(origin.port, mine(await laptop(await httpServer('laptop'))))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    expect(await ask(port, '/x', agent)).toEqual({ who: 'origin', version: '1.1', certificate: servername })
    expect(await ask(port, '/mine', agent)).toEqual({ who: 'laptop', version: '1.1', certificate: servername })
    expect(await ask(port, '/x', agent)).toMatchObject({ who: 'origin' })
    expect(new Set(origin.names)).toEqual(new Set([servername]))
    expect(port.counts.upstreams).toEqual(['origin', 'laptop'])
  })

  test('a local process that speaks TLS', async () => {
    const origin = await httpsServer('origin')
    const local = await httpsServer('laptop')
    const port = await open(origin.port, mine(await laptop(local.port), { tls: tls({ toLocal: true }) }))
    expect(await ask(port, '/mine')).toMatchObject({ who: 'laptop' })
    expect(local.names).toEqual([servername])
  })

  test('a local process that was to speak TLS and does not: to the origin', async () => {
    const origin = await httpsServer('origin')
    const port = await open(
      origin.port,
      mine(await laptop(await httpServer('laptop')), { tls: tls({ toLocal: true }) }),
    )
    expect(await ask(port, '/mine')).toMatchObject({ who: 'origin' })
    expect(port.counts.failOpens[0]).toMatch(/does not speak TLS/)
  })

  test('no local process: to the origin', async () => {
    const origin = await httpsServer('origin')
    const port = await open(origin.port, mine(await laptop(await closedPort()), { tls: tls({ toLocal: true }) }))
    expect(await ask(port, '/mine')).toMatchObject({ who: 'origin' })
  })

  test('the laptop answers while the origin is away', async () => {
    const port = await open(await closedPort(), mine(await laptop(await httpServer('laptop'))))
    expect(await ask(port, '/mine', false, { ALPNProtocols: ['h2', 'http/1.1'] })).toMatchObject({ who: 'laptop' })
    await expect(ask(port, '/x')).rejects.toThrow()
  })

  test('plain HTTP on the same port is followed as ever', async () => {
    const port = await open(await httpServer('origin'), mine(await laptop(await httpServer('laptop'))))
    const client = await port.dial()
    client.write('GET /mine HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    await client.until(({ ended }) => ended)
    expect(client.text).toMatch(/laptop \/mine/)
  })
})

describe('what is spoken inside is what the origin agrees on', () => {
  test('HTTP/2, where the origin speaks it', async () => {
    const origin = await httpsServer('origin', { http2: true })
    const local = await http2Server(says('laptop'))
    const port = await open(origin.port, mine(await laptop(local.port)))
    const { session, ask: ask2 } = http2(port)
    expect(await ask2('/mine')).toBe('laptop')
    expect(await ask2('/x')).toBe('origin /x')
    expect(session.alpnProtocol).toBe('h2')
    expect(new Set(origin.names)).toEqual(new Set([servername]))
  })

  test('HTTP/2 to a local process that speaks TLS', async () => {
    const origin = await httpsServer('origin', { http2: true })
    const local = await httpsServer('laptop', { http2: true })
    const port = await open(origin.port, mine(await laptop(local.port), { tls: tls({ toLocal: true }) }))
    expect(await http2(port).ask('/mine')).toBe('laptop /mine')
    expect(local.names).toEqual([servername])
  })

  test.each([
    [false, ['h2', 'http/1.1'], 'http/1.1'],
    [true, ['h2', 'http/1.1'], 'h2'],
    [true, ['http/1.1'], 'http/1.1'],
    [true, undefined, false],
  ])('origin with HTTP/2 %s, client offers %j: %s', async (isHttp2, ALPNProtocols, agreed) => {
    const origin = await httpsServer('origin', { http2: isHttp2 })
    const port = await open(origin.port, mine(undefined))
    const client = await secureDial(port.number, { servername, ...(ALPNProtocols ? { ALPNProtocols } : {}) })
    expect(client.alpnProtocol).toBe(agreed)
    expect(nameOf(client)).toBe(servername)
  })

  test('a client that agrees on nothing may speak what it likes', async () => {
    const origin = await httpsServer('origin')
    const port = await open(origin.port, mine(await laptop(await httpServer('laptop'))))
    const client = await secureDial(port.number, { servername })
    client.write('GET /mine HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    expect((await buffer(client)).toString()).toMatch(/laptop \/mine/)
  })
})

describe('TLS passes unseen to the origin', () => {
  const passes = async (port: Port, options: ConnectionOptions = {}) => {
    const client = await secureDial(port.number, { servername, ...options })
    return nameOf(client)
  }

  test('where there is no certificate', async () => {
    const origin = await httpsServer('origin', { certificate: another })
    const port = await open(origin.port, mine(undefined, { tls: tls({ certificate: () => undefined }) }))
    expect(await passes(port)).toBe('another')
  })

  test('where the certificate goes, and comes again as another', async () => {
    const origin = await httpsServer('origin', { certificate: another })
    let now: ReturnType<ClaimTls['certificate']>
    const port = await open(origin.port, mine(undefined, { tls: tls({ certificate: () => now }) }))
    expect(await passes(port)).toBe('another')
    now = certificate
    expect(await passes(port)).toBe(servername)
    now = new TlsCertificate(await certificateFor('renewed'))
    expect(await passes(port)).toBe('renewed')
  })

  test('where the origin asks its clients for certificates', async () => {
    const origin = await httpsServer('origin', { certificate: another, requestCert: true })
    const port = await open(origin.port, mine(undefined))
    expect(await passes(port)).toBe('another')
    expect(await passes(port, { maxVersion: 'TLSv1.2' })).toBe('another')
    expect(port.counts.failOpens[0]).toMatch(/asks its clients for certificates/)
  })

  test('where a whole-port claim has it, byte for byte', async () => {
    const local = await httpsServer('laptop', { certificate: another })
    const port = await open(await closedPort(), mine(await laptop(local.port), { matches: undefined }))
    expect(await passes(port)).toBe('another')
  })

  test('where the client speaks neither HTTP/1.1 nor HTTP/2', async () => {
    const origin = new TcpServer()
    await origin.listen()
    onTestFinished(() => origin.close())
    const port = await open(origin.port, mine(undefined))
    const client = connect({ host: '127.0.0.1', port: port.number })
    onTestFinished(() => void client.destroy())
    // TLS that is only begun: what comes out is the same bytes.
    const hello = await helloOf({ servername, ALPNProtocols: ['mqtt'] })
    client.write(hello.subarray(0, 3))
    await new Promise((resolve) => setImmediate(resolve))
    client.write(hello.subarray(3))
    const peer = await (await origin.peer()).until(({ length }) => length >= hello.length)
    expect(peer.bytes).toEqual(hello)
  })

  test('where it looks like TLS, and is not', async () => {
    const origin = await new TcpServer().listen()
    onTestFinished(() => origin.close())
    const port = await open(origin.port, mine(undefined))
    const client = await port.dial()
    client.write(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x04, 0x02, 0, 0, 0])).end()
    const peer = await (await origin.peer()).until(({ ended }) => ended)
    expect(peer.length).toBe(9)
  })
})

async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const sink = await new TcpServer().listen()
  const client = secureDial(sink.port, options)
  const peer = await (await sink.peer()).until(
    ({ bytes }) => bytes.length > 5 && bytes.length >= 5 + bytes.readUInt16BE(3),
  )
  client.catch(() => undefined)
  sink.close()
  return peer.bytes
}

describe('as without TLS', () => {
  /** A switched connection through the port; each end with the TCP that carries it. */
  async function joined() {
    const origin = await httpsServer('origin')
    origin.server.removeAllListeners('secureConnection')
    const carriers: Socket[] = []
    origin.server.prependListener('connection', (tcp: Socket) => carriers.push(tcp))
    const port = await open(origin.port, mine(undefined))
    const tcp = connect({ host: '127.0.0.1', port: port.number, allowHalfOpen: true })
    const client = await secureDial(port.number, { servername, socket: tcp })
    client.on('error', () => undefined)
    // The first one only asked what is agreed on.
    const secured = once(origin.server, 'secureConnection')
    client.write('GET /x HTTP/1.1\r\nhost: a\r\nupgrade: chat\r\nconnection: upgrade\r\n\r\n')
    const [upstream] = (await secured) as [TLSSocket]
    upstream.on('error', () => undefined)
    upstream.allowHalfOpen = true
    await once(upstream, 'data')
    upstream.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: chat\r\nconnection: upgrade\r\n\r\n')
    await once(client, 'data')
    return { client, tcp, upstream, upstreamTcp: carriers.at(-1), port }
  }

  test('a half-close goes on, and the other direction with it', async () => {
    const { client, upstream } = await joined()
    const ended = once(upstream, 'end')
    upstream.resume()
    client.end('last words')
    await ended
    const rest = buffer(client)
    upstream.end('an answer all the same')
    expect((await rest).toString()).toBe('an answer all the same')
  })

  test('a reset of the client reaches the origin', async () => {
    const { tcp, upstream, upstreamTcp, port } = await joined()
    const reset = once(upstreamTcp as Socket, 'close')
    const failure = once(upstream, 'error')
    tcp.resetAndDestroy()
    expect((await failure)[0]).toMatchObject({ code: 'ECONNRESET' })
    await reset
    expect(port.listener.connections.size).toBe(0)
  })

  test('a reset of the origin reaches the client', async () => {
    const { client, upstreamTcp, port } = await joined()
    const failure = once(client, 'error')
    upstreamTcp?.resetAndDestroy()
    expect((await failure)[0]).toMatchObject({ code: 'ECONNRESET' })
    await vi.waitFor(() => expect(port.listener.connections.size).toBe(0))
  })

  test('a slow client slows the origin', async () => {
    const { client, upstream } = await joined()
    client.pause()
    const block = Buffer.alloc(64 * 1024, 7)
    const most = 1024
    let sent = 0
    for (let isStuck = false; !isStuck && sent < most; sent += 1) {
      if (upstream.write(block)) continue
      const drained = once(upstream, 'drain').then(() => false)
      isStuck = await Promise.race([drained, new Promise<boolean>((resolve) => setTimeout(resolve, 300, true))])
    }
    expect(sent).toBeLessThan(most)
    let got = 0
    client.on('data', (chunk: Buffer) => {
      got += chunk.length
    })
    client.resume()
    upstream.end()
    await once(client, 'end')
    expect(got).toBe(sent * block.length)
  })

  test('a client that hangs up in the middle of the handshake leaves nothing', async () => {
    const origin = await httpsServer('origin')
    const port = await open(origin.port, mine(undefined))
    const hello = await helloOf({ servername })
    const client = await port.dial()
    client.write(hello)
    await client.until(({ length }) => length > 0)
    client.reset()
    await vi.waitFor(() => expect(port.listener.connections.size).toBe(0))
    expect(port.counts.upstreams).toEqual([])
  })
})
