import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import type { KubeClient } from '../../src/kube/client.ts'
import { clientOf } from './client-of.ts'
import { FakeApi, status } from './fake-api.ts'

let api: FakeApi
let kube: KubeClient
let kubelet: WebSocketServer
const seen: { url: string | undefined; protocol: string; authorization: string | undefined }[] = []

/** Kubelet's side, as it starts each connection: both channels repeat the port. */
function greet(socket: WebSocket, port = 80): void {
  const wire = [port & 0xff, port >> 8]
  socket.send(Buffer.from([0, ...wire]))
  socket.send(Buffer.from([1, ...wire]))
}

beforeEach(async () => {
  api = await new FakeApi().start()
  kube = clientOf(api.url, { credentials: async () => ({ headers: { authorization: 'Bearer t' } }) })
  kubelet = new WebSocketServer({ noServer: true })
  seen.length = 0
  api.server.on('upgrade', (request, socket, head) => {
    kubelet.handleUpgrade(request, socket, head, (accepted) => {
      seen.push({ url: request.url, protocol: accepted.protocol, authorization: request.headers.authorization })
      kubelet.emit('connection', accepted)
    })
  })
})
afterEach(async () => {
  for (const client of kubelet.clients) client.terminate()
  await api.stop()
})

describe('a port-forward', () => {
  it('carries bytes both ways', async () => {
    kubelet.on('connection', (socket) => {
      greet(socket)
      socket.on('message', (data: Buffer) => socket.send(Buffer.concat([Buffer.from([0]), data.subarray(1)])))
    })
    const stream = await kube.portForward('shop', 'web-0', 80)
    expect(seen).toEqual([
      {
        url: '/api/v1/namespaces/shop/pods/web-0/portforward?ports=80',
        protocol: 'v4.channel.k8s.io',
        authorization: 'Bearer t',
      },
    ])
    const sent = Buffer.alloc(300_000, 'ab')
    stream.write(sent.subarray(0, 100_000))
    stream.write(sent.subarray(100_000))
    const got: Buffer[] = []
    let bytes = 0
    for await (const chunk of stream) {
      got.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes === sent.length) break
    }
    expect(Buffer.concat(got).equals(sent)).toBe(true)
    expect(stream.destroyed).toBe(true)
  })

  it('ends when the pod ends it, and not by our end alone', async () => {
    kubelet.on('connection', (socket) => {
      greet(socket)
      socket.on('message', () => {
        socket.send(Buffer.from('\0bye'))
        socket.close(1000)
      })
    })
    const stream = await kube.portForward('shop', 'web-0', 80)
    stream.end('x')
    let text = ''
    for await (const chunk of stream) text += chunk
    expect(text).toBe('bye')
  })

  it('passes on what kubelet complains about', async () => {
    kubelet.on('connection', (socket) => {
      greet(socket)
      socket.send(Buffer.from('\x01dial tcp4 127.0.0.1:80: connect: connection refused'))
    })
    const stream = await kube.portForward('shop', 'web-0', 80)
    const [error] = await once(stream, 'error')
    expect(error).toMatchObject({
      code: 'port-forward-failed',
      message: 'Port-forward to pod shop/web-0: nothing listens on port 80',
    })
  })

  it('that is refused says why', async () => {
    api.server.removeAllListeners('upgrade')
    api.server.on('upgrade', (_request, socket) => {
      const body = JSON.stringify({
        kind: 'Status',
        message: 'User "ann" cannot get resource "pods/portforward" in API group ""',
      })
      socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
    })
    await expect(kube.portForward('shop', 'web-0', 80)).rejects.toMatchObject({
      code: 'forbidden',
      message: 'User ann may not get pods/portforward in namespace shop.',
    })
    api.server.removeAllListeners('upgrade')
    api.handler = (_request, response) => status(response, 404, 'NotFound', 'pods "web-0" not found')
    await expect(kube.portForward('shop', 'web-0', 80)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('that breaks is an error, not an end', async () => {
    kubelet.on('connection', (socket) => {
      greet(socket)
      setImmediate(() => api.cut())
    })
    const stream = await kube.portForward('shop', 'web-0', 80)
    stream.resume()
    const [error] = await once(stream, 'error')
    expect(error).toMatchObject({ code: 'api-unreachable' })
  })
})
