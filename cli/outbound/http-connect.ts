import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { messageOf } from '../../src/errors.ts'
import { httpLimits } from '../../src/http/limits.ts'
import { textResponse } from '../../src/http/text-response.ts'
import { duplexOf, type TunnelStream } from '../../src/tunnel/index.ts'
import { asSocket } from './as-socket.ts'
import { endToEnd, headOf, pairsOf } from './http-fields.ts'
import type { ProxyDial, ProxyHost } from './proxy-dial.ts'
import { whyOfAnotherSite } from './proxy-guard.ts'
import { proxyReason } from './proxy-reason.ts'

/**
 * The HTTP half of the proxy (RFC 9110, 9.3.6 and 3.7): CONNECT, and requests in absolute form for plain HTTP. The
 * server listens nowhere; connections are given to it ('connection'). Each request has a connection of its own to where
 * it goes, so that it finds an intercept that is new. Nothing here times out: who waits may be at a breakpoint.
 */
export function httpProxy(dial: ProxyDial): Server {
  const server = createServer({ keepAlive: true, requireHostHeader: false, maxHeaderSize: httpLimits.headBytes })
  server.on('connect', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    const to = hostOfAuthority(message.url ?? '')
    if (!to) return void refuse(socket, 400, `CONNECT needs HOST:PORT, not ${message.url}`)
    void dial.join(socket, to, head, {
      accepted: () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'),
      refused: (code, reason) => refuse(socket, proxyReason(code).http, told(to, code, reason)),
    })
  })
  server.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    passUpgrade(dial, message, socket, head).catch((error: unknown) => refuse(socket, 502, messageOf(error)))
  })
  server.on('request', (message, response) => {
    passRequest(dial, message, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else answer(response, 502, messageOf(error))
    })
  })
  // As by default, but a client of a proxy is told in its words.
  server.on('clientError', (error, socket: Duplex) => {
    if (socket.writable) socket.end(textResponse(400, `not a request to a proxy: ${messageOf(error)}`))
    else socket.destroy()
  })
  return server
}

async function passRequest(dial: ProxyDial, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = targetOf(message)
  if (typeof target === 'string') return answer(response, 400, target)
  const why = whyOfAnotherSite(message, target)
  if (why !== undefined) return answer(response, 403, why)
  const to = hostOfTarget(target)
  const fail = (error: unknown): void => {
    const { code, message: reason } = dial.failed(to, error)
    if (response.headersSent) response.destroy()
    else answer(response, proxyReason(code).http, told(to, code, reason))
  }
  response.once('close', dial.opened())
  let stream: TunnelStream
  try {
    stream = await dial.stream(to)
  } catch (error) {
    fail(error)
    return
  }
  if (response.destroyed) return stream.reset('not-wanted')
  const { outgoing, connection } = requestOver(stream, message, target, ['Connection', 'close'])
  response.once('close', () => {
    if (!response.writableFinished) connection.destroy()
  })
  outgoing.on('error', (error) => {
    if (!response.destroyed) fail(error)
  })
  outgoing.once('response', (incoming) => {
    incoming.once('error', () => response.destroy())
    response.sendDate = false
    try {
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, endToEnd(incoming.rawHeaders))
    } catch (error) {
      fail(error)
      return
    }
    incoming.once('end', () => response.addTrailers(pairsOf(incoming.rawTrailers)))
    incoming.pipe(response)
  })
  message.pipe(outgoing)
}

/** A request that may become another protocol, such as a WebSocket. */
async function passUpgrade(dial: ProxyDial, message: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
  socket.on('error', () => undefined)
  const target = targetOf(message)
  if (typeof target === 'string') return refuse(socket, 400, target)
  const why = whyOfAnotherSite(message, target)
  if (why !== undefined) return refuse(socket, 403, why)
  if (message.method !== 'GET') return refuse(socket, 501, 'only a GET may ask for another protocol')
  const to = hostOfTarget(target)
  const fail = (error: unknown): void => {
    const { code, message: reason } = dial.failed(to, error)
    refuse(socket, proxyReason(code).http, told(to, code, reason))
  }
  socket.once('close', dial.opened())
  let stream: TunnelStream
  try {
    stream = await dial.stream(to)
  } catch (error) {
    fail(error)
    return
  }
  const { connection: asked = '', upgrade = '' } = message.headers
  const { outgoing, connection } = requestOver(stream, message, target, ['Connection', asked, 'Upgrade', upgrade])
  socket.once('close', () => connection.destroy())
  let isAnswered = false
  outgoing.on('error', (error) => {
    if (isAnswered) socket.destroy()
    else fail(error)
  })
  outgoing.once('upgrade', (incoming, upstream, first) => {
    isAnswered = true
    upstream.on('error', () => socket.destroy())
    socket.write(headOf(incoming, incoming.rawHeaders))
    if (first.length > 0) socket.write(first)
    if (head.length > 0) upstream.write(head)
    upstream.pipe(socket)
    socket.pipe(upstream)
  })
  outgoing.once('response', (incoming) => {
    isAnswered = true
    incoming.once('error', () => socket.destroy())
    // Its chunks are taken apart: the end of the connection is the end of the body.
    const fields = pairsOf(endToEnd(incoming.rawHeaders)).filter(([name]) => !/^transfer-encoding$/i.test(name))
    socket.write(headOf(incoming, [...fields.flat(), 'Connection', 'close']))
    incoming.pipe(socket)
    socket.resume()
  })
  outgoing.end()
}

/** The request as it goes on, in origin form. @param more fields of its connection */
function requestOver(
  stream: TunnelStream,
  { method, rawHeaders }: IncomingMessage,
  target: URL,
  more: readonly string[],
): { outgoing: ClientRequest; connection: Duplex } {
  const connection = asSocket(duplexOf(stream))
  const outgoing = request({
    createConnection: () => connection,
    method,
    path: `${target.pathname}${target.search}`,
    setHost: false,
    maxHeaderSize: httpLimits.headBytes,
    headers: [...endToEnd(rawHeaders), 'Host', target.host, ...more],
  })
  return { outgoing, connection }
}

/** The request's target, or what is wrong with it. */
function targetOf({ url = '' }: IncomingMessage): URL | string {
  if (/^http:\/\//i.test(url)) return URL.canParse(url) ? new URL(url) : 'an unreadable URL'
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url)
    ? 'only http:// is asked for like this; for https:// a proxy is asked with CONNECT'
    : 'this is a proxy into a cluster, not a site: set HTTP_PROXY to its address'
}

const hostOfTarget = ({ hostname, port }: URL): ProxyHost => ({
  host: hostname.replace(/^\[|\]$/g, ''),
  port: port === '' ? 80 : Number(port),
})

function hostOfAuthority(authority: string): ProxyHost | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/?#@]+)):(\d{1,5})$/i.exec(authority) ?? []
  const host = bracketed ?? plain
  const number = Number(port)
  if (host === undefined || number < 1 || number > 65_535) return undefined
  return bracketed !== undefined && isIP(bracketed) !== 6 ? undefined : { host, port: number }
}

const told = ({ host, port }: ProxyHost, code: string, reason: string): string => `${host}:${port}: ${reason} (${code})`

function refuse(socket: Socket, status: number, text: string): void {
  socket.on('error', () => undefined)
  socket.end(textResponse(status, text))
  // What the client had sent already; without reading it, its end would not be seen.
  socket.resume()
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(`${text}\n`)
}
