import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError } from '../api-error.ts'

/** Browsers send the token as a WebSocket subprotocol. */
export function protocolToken(request: IncomingMessage): string | undefined {
  const token = /base64url\.bearer\.authorization\.k8s\.io\.([\w-]+)/.exec(
    request.headers['sec-websocket-protocol'] ?? '',
  )?.[1]
  return token === undefined ? undefined : `Bearer ${Buffer.from(token, 'base64url').toString()}`
}

/** Answers an upgrade with the Status of an error. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const known = error instanceof ApiError ? error : new ApiError(500, 'InternalError', String(error))
  const body = JSON.stringify(known.status())
  socket.on('error', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${known.code} ${known.reason ?? 'Error'}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
