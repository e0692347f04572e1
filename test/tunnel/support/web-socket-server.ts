import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { acceptWebSockets, type Carrier } from '../../../src/tunnel/index.ts'

export interface CarrierServer {
  readonly url: string
  /** Sockets under the carriers, to be cut by a test. */
  readonly sockets: Set<Socket>
  close(): Promise<void>
}

/** Where carriers arrive, on loopback. */
export async function listenForCarriers(onCarrier: (carrier: Carrier) => void): Promise<CarrierServer> {
  const acceptor = acceptWebSockets()
  const sockets = new Set<Socket>()
  const http: Server = createServer((_request, response) => {
    response.writeHead(404).end('nothing here')
  })
  http.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  http.on('upgrade', (request, socket, head) => {
    if (request.url === '/forbidden') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 14\r\n\r\nyou are nobody')
      return
    }
    const carrier = acceptor.handleUpgrade(request, socket, head)
    if (carrier) onCarrier(carrier)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}/tunnel`,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
