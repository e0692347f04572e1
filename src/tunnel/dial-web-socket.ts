import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { type ClientOptions, WebSocket } from 'ws'
import { codeOf, messageOf } from '../errors.ts'
import { openReadable } from '../read-into.ts'
import { TunnelError } from './error.ts'
import { maxMessageBytes } from './limits.ts'
import type { Carrier } from './types.ts'
import { webSocketCarrier } from './web-socket-carrier.ts'

export interface WebSocketTarget {
  /** ws: or wss:. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** For `ws`: TLS settings, `agent`, `createConnection`. */
  readonly options?: object
  readonly signal?: AbortSignal
}

const detailBytes = 4 * 1_024
const closeTimeoutMs = 2_000

/**
 * A carrier to a server's WebSocket. Rejects with TunnelError 'carrier-refused' (`status`, `detail`) where the upgrade
 * was answered with anything but 101, 'carrier-failed' where nothing came of it.
 */
export function dialWebSocket(target: WebSocketTarget): Promise<Carrier> {
  return new Promise((resolve, reject) => {
    const dialing: object = target.url.startsWith('wss:') ? { createConnection: dialTls } : {}
    const options: ClientOptions = {
      headers: { ...target.headers },
      ...dialing,
      ...target.options,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      generateMask: (mask: Buffer) => mask.fill(0),
      skipUTF8Validation: true,
    }
    const ws = new WebSocket(target.url, Object.assign(options, { closeTimeout: closeTimeoutMs }))
    let upgraded: IncomingMessage | undefined
    const abort = () => {
      fail(new TunnelError('carrier-failed', 'the dial was given up'))
      ws.terminate()
    }
    const settle = () => target.signal?.removeEventListener('abort', abort)
    const fail = (error: TunnelError) => {
      settle()
      reject(error)
    }
    ws.on('error', (cause) => {
      const code = codeOf(cause)
      fail(new TunnelError('carrier-failed', code ? `${code}: ${messageOf(cause)}` : messageOf(cause), { cause }))
    })
    ws.once('upgrade', (response) => {
      upgraded = response
    })
    ws.once('unexpected-response', (request, response) => {
      readDetail(response, (detail) => {
        fail(refused(target.url, response, detail))
        request.destroy()
      })
    })
    ws.once('open', () => {
      settle()
      resolve(webSocketCarrier(ws, upgraded && { socket: upgraded.socket, side: 'client' }))
    })
    target.signal?.addEventListener('abort', abort, { once: true })
    if (target.signal?.aborted) abort()
  })
}

/** As `ws` dials, but for `readInto`. An agent, or a connection of the caller's, takes its place. */
function dialTls(options: ConnectionOptions): TLSSocket {
  const { host = '', servername = isIP(host) === 0 ? host : '' } = options
  return openReadable((reading) => connectTls({ ...options, path: undefined, servername, ...reading }))
}

function refused(url: string, response: IncomingMessage, detail: string): TunnelError {
  const status = response.statusCode ?? 0
  const { host } = new URL(url)
  const answer = `${status} ${response.statusMessage ?? ''}`.trim()
  return new TunnelError('carrier-refused', `${host} answered the upgrade to a WebSocket with ${answer}`, {
    status,
    detail,
  })
}

function readDetail(response: IncomingMessage, done: (detail: string) => void): void {
  let text = Buffer.alloc(0)
  let over = false
  const finish = () => {
    if (over) return
    over = true
    clearTimeout(timer)
    done(text.subarray(0, detailBytes).toString('utf8'))
  }
  const timer = setTimeout(finish, closeTimeoutMs)
  response.on('data', (chunk: Buffer) => {
    text = Buffer.concat([text, chunk])
    if (text.length >= detailBytes) finish()
  })
  response.on('end', finish)
  response.on('close', finish)
  response.on('error', finish)
}
