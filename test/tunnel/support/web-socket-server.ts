import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { acceptWebSockets, type Carrier } from '../../../src/tunnel/index.ts'

export interface CarrierServer {
  readonly url: string
  readonly port: number
  /** Sockets under the carriers, to be cut by a test. */
  readonly sockets: Set<Socket>
  close(): Promise<void>
}

export interface CarrierServerOptions {
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly port?: number
  /** What an upgrade is answered instead; undefined: it is let in. */
  refuse?(request: IncomingMessage): { status: number; reason: string } | undefined
}

/** Where carriers arrive, on loopback. */
export async function listenForCarriers(
  onCarrier: (carrier: Carrier) => void,
  { tls, port: wantedPort = 0, refuse }: CarrierServerOptions = {},
): Promise<CarrierServer> {
  const acceptor = acceptWebSockets()
  const sockets = new Set<Socket>()
  const nothing = (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(404).end('nothing here')
  }
  const http: Server = tls ? createTlsServer(tls, nothing) : createServer(nothing)
  http.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  http.on('upgrade', (request, socket, head) => {
    if (request.url === '/forbidden') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 14\r\n\r\nyou are nobody')
      return
    }
    const refused = refuse?.(request)
    if (refused) {
      const { status, reason } = refused
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: ${reason.length}\r\n\r\n${reason}`)
      return
    }
    const carrier = acceptor.handleUpgrade(request, socket, head)
    if (carrier) onCarrier(carrier)
  })
  await new Promise<void>((resolve) => http.listen(wantedPort, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return {
    url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${port}/tunnel`,
    port,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
