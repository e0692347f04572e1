import http from 'node:http'
import net from 'node:net'
import tls from 'node:tls'
import { hostPort } from '../../ip-address.ts'
import { openReadable } from '../../read-into.ts'
import { hostOf } from './proxy.ts'
import { socksConnect } from './socks.ts'

/** A server that is silent for this long is found dead by TCP keep-alive within about 10 s more. */
const keepAliveMs = 10_000

export interface DialOptions {
  readonly host: string
  readonly port: number
  readonly proxy: URL | undefined
  readonly timeoutMs: number
  /** Undefined: no TLS. `servername` '' where the host is an address. */
  readonly tls?: tls.ConnectionOptions
}

/** One connection, ready for bytes: through the proxy, and past the TLS handshake. Rejects with the socket's error. */
export async function dial(options: DialOptions): Promise<net.Socket> {
  const deadline = AbortSignal.timeout(options.timeoutMs)
  const timedOut = () =>
    new Error(`no connection to ${options.host}:${options.port} within ${options.timeoutMs / 1000} s`)
  const { host, port, proxy } = options
  if (proxy === undefined && options.tls) {
    const secure: tls.ConnectionOptions = { ...options.tls, host, port }
    const socket = openReadable((reading) => tls.connect({ ...secure, ...reading }))
    socket.once('connect', () => keepUp(socket))
    return connected(socket, 'secureConnect', deadline, timedOut)
  }
  const raw = proxy
    ? await throughProxy(options, proxy, deadline, timedOut)
    : await connected(net.connect({ host, port, noDelay: true }), 'connect', deadline, timedOut)
  keepUp(raw)
  if (options.tls === undefined) return raw
  return connected(tls.connect({ ...options.tls, socket: raw }), 'secureConnect', deadline, timedOut)
}

function keepUp(socket: net.Socket): void {
  socket.setNoDelay(true)
  socket.setKeepAlive(true, keepAliveMs)
}

async function throughProxy(
  { host, port, timeoutMs }: DialOptions,
  proxy: URL,
  deadline: AbortSignal,
  timedOut: () => Error,
): Promise<net.Socket> {
  const proxyHost = hostOf(proxy)
  if (proxy.protocol.startsWith('socks')) {
    const socket = net.connect({ host: proxyHost, port: Number(proxy.port || 1080), noDelay: true })
    await connected(socket, 'connect', deadline, timedOut)
    return socksConnect(socket, { host, port, proxy, signal: deadline })
  }
  const secure = proxy.protocol === 'https:'
  const target = { host: proxyHost, port: Number(proxy.port || (secure ? 443 : 80)) }
  const socket = secure
    ? await connected(
        tls.connect({ ...target, servername: net.isIP(proxyHost) === 0 ? proxyHost : '' }),
        'secureConnect',
        deadline,
        timedOut,
      )
    : await connected(net.connect({ ...target, noDelay: true }), 'connect', deadline, timedOut)
  return httpConnect(socket, { host, port, proxy, timeoutMs })
}

/** HTTP CONNECT, RFC 9110 section 9.3.6. */
function httpConnect(
  socket: net.Socket,
  { host, port, proxy, timeoutMs }: { host: string; port: number; proxy: URL; timeoutMs: number },
): Promise<net.Socket> {
  const authority = hostPort(host, port)
  const headers: Record<string, string> = { host: authority }
  if (proxy.username !== '') {
    const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
    headers['proxy-authorization'] = `Basic ${Buffer.from(login).toString('base64')}`
  }
  return new Promise((resolve, reject) => {
    const request = http.request({
      method: 'CONNECT',
      path: authority,
      headers,
      createConnection: () => socket,
      timeout: timeoutMs,
    })
    request.once('error', reject)
    request.once('timeout', () => request.destroy(new Error(`the proxy ${proxy.host} does not answer`)))
    request.once('connect', (response, tunnel: net.Socket, head) => {
      if (response.statusCode !== 200) {
        tunnel.destroy()
        return reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode} ${response.statusMessage}`))
      }
      if (head.length > 0) tunnel.unshift(head)
      resolve(tunnel)
    })
    request.once('response', (response) => {
      response.resume()
      request.destroy(new Error(`the proxy ${proxy.host} answered ${response.statusCode} ${response.statusMessage}`))
    })
    request.end()
  })
}

function connected<S extends net.Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  deadline: AbortSignal,
  timedOut: () => Error,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const onDeadline = () => socket.destroy(timedOut())
    const onError = (error: Error) => settle(() => reject(error))
    const onClose = () => settle(() => reject(new Error('the connection was closed before it was ready')))
    const settle = (end: () => void) => {
      deadline.removeEventListener('abort', onDeadline)
      socket.off('error', onError)
      socket.off('close', onClose)
      end()
    }
    deadline.addEventListener('abort', onDeadline, { once: true })
    socket.once('error', onError)
    socket.once('close', onClose)
    socket.once(event, () => settle(() => resolve(socket)))
  })
}
