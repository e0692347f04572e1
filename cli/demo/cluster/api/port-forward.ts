import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { KubeObject } from '../../../../src/kube/types.ts'
import { ApiError } from '../api-error.ts'
import type { PodPorts } from '../network/reach.ts'

const protocols = ['v4.channel.k8s.io', 'portforward.k8s.io']
/** Bytes waiting for a slow client before its pod is no longer read. */
const highWater = 1024 * 1024

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
})

/**
 * pods/portforward over a WebSocket (v4.channel.k8s.io): for the n-th of the `ports`, channel 2n carries bytes and
 * channel 2n+1 errors; the first message on each is the port, little-endian.
 */
export function servePortForward(
  pod: KubeObject,
  query: URLSearchParams,
  podPorts: PodPorts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const ports = query
    .getAll('ports')
    .flatMap((each) => each.split(','))
    .map(Number)
  if (ports.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535)) {
    throw ApiError.badRequest('query parameter "ports" is required')
  }
  server.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.binaryType = 'nodebuffer'
    const sockets = ports.map((port, index) => forward(webSocket, pod, port, index * 2, podPorts))
    webSocket.on('message', (data: Buffer) => {
      const upstream = sockets[(data[0] ?? 0) / 2]
      if (upstream && data.length > 1 && !upstream.write(data.subarray(1))) pauseUntilDrain(webSocket, upstream)
    })
    webSocket.on('close', () => {
      for (const upstream of sockets) upstream.destroy()
    })
    webSocket.on('error', () => webSocket.terminate())
  })
}

function forward(webSocket: WebSocket, pod: KubeObject, port: number, channel: number, podPorts: PodPorts): Socket {
  const announce = Buffer.alloc(3)
  for (const number of [channel, channel + 1]) {
    announce[0] = number
    announce.writeUInt16LE(port, 1)
    webSocket.send(Buffer.from(announce))
  }
  const address = podPorts.reach(pod, port)
  const upstream = connect({ host: address?.host ?? '127.0.0.1', port: address?.port ?? port, noDelay: true })
  upstream.on('data', (chunk: Buffer) => {
    webSocket.send(Buffer.concat([Buffer.from([channel]), chunk]), () => {
      if (webSocket.bufferedAmount < highWater) upstream.resume()
    })
    if (webSocket.bufferedAmount >= highWater) upstream.pause()
  })
  upstream.on('error', (error: NodeJS.ErrnoException) => {
    const why = `error forwarding port ${port} to pod ${pod.metadata.uid}, uid : failed to connect to localhost:${port} inside namespace "${pod.metadata.namespace}": ${error.message}`
    if (webSocket.readyState === webSocket.OPEN)
      webSocket.send(Buffer.concat([Buffer.from([channel + 1]), Buffer.from(why)]))
  })
  upstream.on('close', () => webSocket.close(1000))
  return upstream
}

function pauseUntilDrain(webSocket: WebSocket, upstream: Socket): void {
  webSocket.pause()
  upstream.once('drain', () => webSocket.resume())
}
