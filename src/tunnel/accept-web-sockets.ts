import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { maxMessageBytes } from './limits.ts'
import type { Carrier } from './types.ts'
import { webSocketCarrier } from './web-socket-carrier.ts'

export interface WebSocketAcceptor {
  /**
   * For the 'upgrade' event of a node:http server. Undefined where the request is no good WebSocket handshake: it has
   * been answered with 400 then and the socket is closed.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Carrier | undefined
}

export function acceptWebSockets(): WebSocketAcceptor {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    clientTracking: false,
    skipUTF8Validation: true,
    ...{ closeTimeout: 2_000 },
  })
  return {
    handleUpgrade(request, socket, head) {
      let carrier: Carrier | undefined
      server.handleUpgrade(request, socket, head, (ws) => {
        carrier = webSocketCarrier(ws, { socket, side: 'server' })
      })
      return carrier
    },
  }
}
