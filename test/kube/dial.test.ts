import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { services } from '../../src/kube/resources.ts'
import { createCa, issueServingCertificate, type ServingCertificate } from '../../src/pki/index.ts'
import { clientOf } from './client-of.ts'
import { status } from './fake-api.ts'

let ca: string
let certificate: ServingCertificate
const opened: Server[] = []
const sockets = new Set<Socket>()

beforeAll(async () => {
  const authority = await createCa()
  ca = authority.cert
  certificate = await issueServingCertificate(authority, { dnsNames: ['api.internal'], ips: ['127.0.0.1'] })
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of opened.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  opened.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

let apiPort: number
beforeEach(async () => {
  const api = https.createServer(certificate, (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ metadata: { name: 'orders' } }))
  })
  apiPort = await listen(api)
})

/** Tunnels everything to the API server, and remembers where it was asked to go. */
async function connectProxy(
  answer?: (request: http.IncomingMessage) => number,
): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const proxy = http.createServer()
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim())
    const code = answer?.(request) ?? 200
    if (code !== 200) return socket.end(`HTTP/1.1 ${code} No\r\nContent-Length: 0\r\n\r\n`)
    const upstream = net.connect(apiPort, '127.0.0.1')
    sockets.add(upstream)
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    upstream.pipe(socket).pipe(upstream)
  })
  return { port: await listen(proxy), asked }
}

function get(server: string, changes: Parameters<typeof clientOf>[1]) {
  return clientOf(server, { ca, ...changes }).get(services, 'shop', 'orders')
}

describe('a connection to the API server', () => {
  it('checks its certificate', async () => {
    const server = `https://127.0.0.1:${apiPort}`
    expect(await get(server, {})).toMatchObject({ metadata: { name: 'orders' } })
    expect(await get(server, { tlsServerName: 'api.internal' })).toMatchObject({ metadata: { name: 'orders' } })
    await expect(get(server, { tlsServerName: 'example.com' })).rejects.toMatchObject({ code: 'api-unreachable' })
    await expect(get(server, { ca: (await createCa()).cert })).rejects.toMatchObject({ code: 'api-unreachable' })
    expect(await get(server, { ca: (await createCa()).cert, insecure: true })).toMatchObject({
      metadata: { name: 'orders' },
    })
  })

  it('goes through an HTTP proxy, with a login', async () => {
    const { port, asked } = await connectProxy()
    await get('https://api.internal:6443', { proxyUrl: `http://ann:p%40ss@127.0.0.1:${port}` })
    expect(asked).toEqual([`api.internal:6443 Basic ${Buffer.from('ann:p@ss').toString('base64')}`])
  })

  it('says that the proxy refused', async () => {
    const { port } = await connectProxy(() => 407)
    await expect(get('https://api.internal:6443', { proxyUrl: `http://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'api-unreachable',
      message: expect.stringContaining('answered 407'),
    })
  })

  it('goes through a SOCKS5 proxy, which resolves the name', async () => {
    const asked: string[] = []
    const proxy = net.createServer((client) => void serveSocks(client, asked, 0))
    const port = await listen(proxy)
    await get('https://api.internal:6443', { proxyUrl: `socks5://ann:pw@127.0.0.1:${port}` })
    expect(asked).toEqual(['login ann pw', 'api.internal:6443'])
  })

  it('says what the SOCKS5 proxy says', async () => {
    const proxy = net.createServer((client) => void serveSocks(client, [], 5))
    const port = await listen(proxy)
    await expect(get('https://api.internal:6443', { proxyUrl: `socks5://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'api-unreachable',
      message: expect.stringContaining('connection refused'),
    })
  })

  it('is given up when nothing comes of it', async () => {
    const silent = net.createServer(() => undefined)
    const port = await listen(silent)
    const kube = clientOf(`https://127.0.0.1:${port}`, { ca }, { timeouts: { connectMs: 50 } })
    await expect(kube.get(services, 'shop', 'orders')).rejects.toMatchObject({
      code: 'api-unreachable',
      message: expect.stringContaining('within 0.05 s'),
    })
  })

  it('uses a new client certificate from the next request on', async () => {
    const seen: (string | undefined)[] = []
    const authority = await createCa('clients')
    const [first, second] = await Promise.all([
      issueServingCertificate(authority, { dnsNames: ['one'], ips: [] }),
      issueServingCertificate(authority, { dnsNames: ['two'], ips: [] }),
    ])
    const api = https.createServer(
      { ...certificate, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const socket = request.socket as import('node:tls').TLSSocket
        seen.push(String(socket.getPeerCertificate().subject?.CN))
        if (seen.length === 1) return status(response, 401, 'Unauthorized', 'expired')
        response.end('{}')
      },
    )
    const port = await listen(api)
    let current = first
    const credentials = async (renew: boolean) => {
      if (renew) current = second
      return { headers: {}, ...current }
    }
    await get(`https://127.0.0.1:${port}`, { credentials })
    expect(seen).toEqual(['one', 'two'])
  })
})

/** RFC 1928 and 1929, as far as one CONNECT to a name needs them. */
async function serveSocks(client: Socket, asked: string[], reply: number): Promise<void> {
  const read = async (bytes: number): Promise<Buffer> => {
    for (;;) {
      const chunk = client.read(bytes) as Buffer | null
      if (chunk !== null) return chunk
      await once(client, 'readable')
    }
  }
  const [, count = 0] = await read(2)
  const [method] = await read(count)
  client.write(Buffer.from([5, method ?? 0]))
  if (method === 2) {
    const [, userLength = 0] = await read(2)
    const user = await read(userLength)
    const [passwordLength = 0] = await read(1)
    asked.push(`login ${user} ${await read(passwordLength)}`)
    client.write(Buffer.from([1, 0]))
  }
  await read(4)
  const [length = 0] = await read(1)
  const host = await read(length)
  asked.push(`${host}:${(await read(2)).readUInt16BE()}`)
  client.write(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
  if (reply !== 0) return
  const upstream = net.connect(apiPort, '127.0.0.1')
  sockets.add(upstream)
  client.removeAllListeners('readable')
  upstream.pipe(client).pipe(upstream)
}
