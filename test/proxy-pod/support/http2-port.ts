import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { onTestFinished } from 'vitest'
import { Copies } from '../../../proxy-pod/dataplane/copies.ts'
import { Http2Connection } from '../../../proxy-pod/dataplane/http2-connection.ts'
import { OriginBalancer } from '../../../proxy-pod/dataplane/origin-balancer.ts'
import type { Claim, Route } from '../../../proxy-pod/dataplane/route.ts'
import { TunnelHealth } from '../../../proxy-pod/dataplane/tunnel-health.ts'
import type { ForwardingOptions } from '../../../src/http/forwarding-fields.ts'
import type { Tunnel } from '../../../src/tunnel/index.ts'
import { Counts } from './port.ts'

export type Raw = readonly string[]
export type Handler = (stream: ServerHttp2Stream, raw: Raw) => void

/** An HTTP/2 server with prior knowledge. */
export async function server(
  handler: Handler,
  settings: Settings = {},
  port = 0,
): Promise<{ server: Http2Server; port: number; sessions: ServerHttp2Session[] }> {
  const http2 = createServer({ settings })
  const sessions: ServerHttp2Session[] = []
  http2.on('session', (session) => sessions.push(session))
  http2.on('stream', (stream: ServerHttp2Stream, _headers: object, _flags: number, raw: Raw) => {
    stream.on('error', () => stream.destroy())
    handler(stream, raw)
  })
  http2.on('sessionError', () => undefined)
  http2.listen(port, '127.0.0.1')
  await once(http2, 'listening')
  onTestFinished(() => void http2.close())
  return { server: http2, port: (http2.address() as AddressInfo).port, sessions }
}

export const says =
  (name: string): Handler =>
  (stream) => {
    stream.respond({ ':status': 200 })
    stream.end(name)
  }

/** All that came of a request. */
export interface Answer {
  raw: Raw
  info: Raw[]
  trailers: Raw
  body: string
  code: number
}

/** Without a body: GET, unless told otherwise. With one: POST, and trailers `x-sum`. */
export function ask(
  session: ClientHttp2Session,
  headers: Record<string, string | string[]>,
  body?: string,
): Promise<Answer> {
  return new Promise((resolve) => {
    const method = body === undefined ? 'GET' : 'POST'
    const stream = session.request(
      { ':path': '/', ':method': method, ...headers },
      { endStream: body === undefined, waitForTrailers: body !== undefined },
    )
    const answer: Answer = { raw: [], info: [], trailers: [], body: '', code: 0 }
    stream.on('headers', (_h: object, _f: number, raw: Raw) => answer.info.push(raw))
    stream.on('response', (_h: object, _f: number, raw: Raw) => {
      answer.raw = raw
    })
    stream.on('trailers', (_h: object, _f: number, raw: Raw) => {
      answer.trailers = raw
    })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': ['1', '2'] }))
    stream.on('data', (chunk) => {
      answer.body += chunk
    })
    stream.on('error', () => undefined)
    stream.on('close', () => {
      answer.code = stream.rstCode ?? 0
      resolve(answer)
    })
    if (body !== undefined) stream.end(body)
  })
}

/** A port whose connections are all HTTP/2. */
export class Routed {
  readonly counts = new Counts()
  readonly balancer = new OriginBalancer()
  readonly connections = new Set<Http2Connection>()
  route: Route
  port = 0

  readonly #forwarding: ForwardingOptions | undefined

  constructor(originPort: number, forwarding?: ForwardingOptions) {
    this.#forwarding = forwarding
    this.balancer.update([{ address: '127.0.0.1', port: originPort }], false)
    const health = new TunnelHealth()
    this.route = { service: 'shop/orders', port: 80, origin: this.balancer, claims: [], health }
  }

  async listen(): Promise<this> {
    const listener = createTcpServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      socket.once('readable', () => {
        const bytes: Buffer = socket.read() ?? Buffer.alloc(0)
        const owner = {
          traffic: this.counts,
          copies: new Copies(64),
          forwarding: this.#forwarding,
          closed: () => this.connections.delete(connection),
          handOver: () => undefined,
        }
        const connection = new Http2Connection(socket, bytes, this.route, owner)
        this.connections.add(connection)
      })
    })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    this.port = (listener.address() as AddressInfo).port
    onTestFinished(() => {
      for (const connection of this.connections) connection.reset()
      listener.close()
    })
    return this
  }

  claims(...claims: Claim[]): void {
    this.route = { ...this.route, claims }
    for (const connection of this.connections) connection.reroute(this.route)
  }

  client(): ClientHttp2Session {
    return clientOf(this.port)
  }
}

/** A client's connection to that port. */
export function clientOf(port: number, settings: Settings = {}): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, { settings })
  session.on('error', () => undefined)
  onTestFinished(() => session.destroy())
  return session
}

export const claim = (tunnel: Tunnel | undefined, more: Partial<Claim> = {}): Claim => ({
  intercept: 'shop/orders-ada',
  mode: 'intercept',
  matches: ({ rawHeaders }) => rawHeaders.includes('x-intercept'),
  workload: undefined,
  onLocalDown: 'origin',
  acceptTimeoutMs: 10_000,
  tunnel: () => tunnel,
  ...more,
})
