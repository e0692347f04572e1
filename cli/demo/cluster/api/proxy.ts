import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { splice } from '../../../../src/splice.ts'
import { ApiError } from '../api-error.ts'
import type { ProxyTarget } from './proxy-target.ts'

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Forwards one HTTP request to a pod. `rest`: path behind `proxy`, with query. */
export function proxyRequest(
  target: ProxyTarget,
  rest: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const send = target.secure ? httpsRequest : httpRequest
    const upstream = send(
      {
        host: target.host,
        port: target.port,
        method: request.method,
        path: rest,
        headers: forwardedHeaders(request),
        setHost: false,
        agent: false,
        rejectUnauthorized: false,
      },
      (answer) => {
        const headers = { ...answer.headers }
        for (const name of ['connection', 'keep-alive', 'transfer-encoding']) delete headers[name]
        response.writeHead(answer.statusCode ?? 502, headers)
        answer.pipe(response)
        answer.on('error', () => response.destroy())
        answer.on('end', resolve)
      },
    )
    upstream.on('error', (error) => {
      if (response.headersSent) {
        response.destroy()
        resolve()
      } else reject(unreachable(target, error))
    })
    response.on('close', () => {
      upstream.destroy()
      resolve()
    })
    request.pipe(upstream)
  })
}

/** Forwards an upgrade: the bytes of both sides, with the query string dropped, as the API server does. */
export function proxyUpgrade(
  target: ProxyTarget,
  rest: string,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): void {
  const options = { host: target.host, port: target.port, noDelay: true, allowHalfOpen: true }
  const upstream: Socket = target.secure ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options)
  let answered = false
  upstream.once('error', (error) => {
    // What is between the two now is no HTTP any more.
    if (!answered && client.writable) {
      const { code, message } = unreachable(target, error)
      client.end(
        `HTTP/1.1 ${code} Service Unavailable\r\ncontent-length: ${Buffer.byteLength(message)}\r\nconnection: close\r\n\r\n${message}`,
      )
    }
  })
  client.once('error', () => upstream.destroy())
  upstream.once(target.secure ? 'secureConnect' : 'connect', () => {
    const path = rest.split('?')[0]
    const lines = [`${request.method} ${path} HTTP/1.1`]
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index]
      if (name?.toLowerCase() !== 'authorization') lines.push(`${name}: ${request.rawHeaders[index + 1]}`)
    }
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
    if (head.length > 0) upstream.write(head)
    splice(client, upstream)
    upstream.once('data', () => {
      answered = true
    })
  })
}

function forwardedHeaders(request: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && name !== 'authorization' && !hopByHop.has(name)) headers[name] = value
  }
  const from = request.socket.remoteAddress ?? ''
  const before = request.headers['x-forwarded-for']
  headers['x-forwarded-for'] = before === undefined ? from : `${before}, ${from}`
  headers['x-forwarded-uri'] = (request.url ?? '').split('?')[0] ?? ''
  return headers
}

function unreachable(target: ProxyTarget, error: Error & { code?: string }): ApiError {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    ECONNRESET: 'read: connection reset by peer',
  }
  const why = words[error.code ?? ''] ?? error.message
  return ApiError.unavailable(`error trying to reach service: dial tcp ${target.host}:${target.port}: ${why}`)
}
