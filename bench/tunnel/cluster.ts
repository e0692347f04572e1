/** The proxy pod's side: a listener for the cluster's connections and one for the laptop's carriers. */
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { acceptWebSockets, createTunnelServer, pipeSocket, type Tunnel } from '../../src/tunnel/index.ts'
import { announce, portOf } from '../support/role.ts'

let tunnel: Tunnel | undefined
const tunnelServer = createTunnelServer<string>({
  authorize: async () => ({ identity: 'bench' }),
  onTunnel: (opened) => {
    tunnel = opened
    return { onStream: (stream) => stream.refuse('not-here', 'nothing to reach'), onState: () => undefined }
  },
})
const acceptor = acceptWebSockets()
const gateway = createHttpServer()
gateway.on('upgrade', (request, socket, head) => {
  const carrier = acceptor.handleUpgrade(request, socket, head)
  if (carrier) tunnelServer.accept(carrier)
})
const listener = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  if (tunnel?.state === 'up') pipeSocket(tunnel.open({ port: 80 }), socket)
  else socket.destroy()
})
gateway.listen(0, '127.0.0.1', () => announce({ port: portOf(gateway) }))
listener.listen(0, '127.0.0.1', () => announce({ port: portOf(listener) }))
