import { afterEach, beforeEach, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import type { KubeClient } from '../../src/kube/client.ts'
import { clientOf } from './client-of.ts'
import { FakeApi } from './fake-api.ts'

let api: FakeApi
let kube: KubeClient
let kubelet: WebSocketServer
let url: string | undefined

beforeEach(async () => {
  api = await new FakeApi().start()
  kube = clientOf(api.url)
  kubelet = new WebSocketServer({ noServer: true })
  api.server.on('upgrade', (request, socket, head) => {
    url = request.url
    kubelet.handleUpgrade(request, socket, head, (accepted) => kubelet.emit('connection', accepted))
  })
})
afterEach(async () => {
  for (const client of kubelet.clients) client.terminate()
  await api.stop()
})

const say = (socket: WebSocket, channel: number, text: string): void =>
  socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]))

function end(socket: WebSocket, status: object): void {
  say(socket, 3, JSON.stringify({ metadata: {}, ...status }))
  socket.close(1000)
}

const command = { container: 'main', command: ['cat', '/a file'] }

it('gives what the command says, in whatever pieces it comes', async () => {
  kubelet.on('connection', (socket) => {
    for (const channel of [1, 2, 3]) say(socket, channel, '')
    say(socket, 1, 'one\0')
    say(socket, 2, 'care')
    say(socket, 1, 'two\0')
    end(socket, { status: 'Success' })
  })
  const { code, stdout, stderr } = await kube.execCommand('shop', 'web-0', command)
  expect([code, String(stdout), stderr]).toEqual([0, 'one\0two\0', 'care'])
  expect(url).toBe(
    '/api/v1/namespaces/shop/pods/web-0/exec?container=main&command=cat&command=%2Fa+file&stdout=true&stderr=true',
  )
})

it('gives the exit code', async () => {
  const details = { causes: [{ reason: 'ExitCode', message: '3' }] }
  kubelet.on('connection', (socket) => end(socket, { status: 'Failure', reason: 'NonZeroExitCode', details }))
  expect((await kube.execCommand('shop', 'web-0', command)).code).toBe(3)
})

it('tells a command that cannot be started, and a connection that ends before it', async () => {
  kubelet.once('connection', (socket) => end(socket, { status: 'Failure', message: 'cat: not found' }))
  await expect(kube.execCommand('shop', 'web-0', command)).rejects.toMatchObject({
    code: 'exec-failed',
    message: 'A command in pod shop/web-0: cat: not found',
  })
  kubelet.once('connection', (socket) => socket.close(1000))
  await expect(kube.execCommand('shop', 'web-0', command)).rejects.toMatchObject({ code: 'exec-failed' })
})

it('does not take more than it can hold', async () => {
  kubelet.once('connection', (socket) => {
    for (let count = 0; count < 5; count += 1) say(socket, 1, 'x'.repeat(1_000_000))
  })
  await expect(kube.execCommand('shop', 'web-0', command)).rejects.toThrow(/more than/)
})

it('streams stdout of any length, and keeps none of it', async () => {
  kubelet.once('connection', (socket) => {
    for (let count = 0; count < 6; count += 1) say(socket, 1, 'x'.repeat(1_000_000))
    say(socket, 2, 'care')
    end(socket, { status: 'Success' })
  })
  let bytes = 0
  const onStdout = (chunk: Buffer): void => {
    bytes += chunk.length
  }
  const { code, stdout, stderr } = await kube.execCommand('shop', 'web-0', { ...command, onStdout })
  expect([code, bytes, stdout.length, stderr]).toEqual([0, 6_000_000, 0, 'care'])
})

it('ends a command whose stdout is not wanted any more, with the reason', async () => {
  const closed = new Promise((resolve) => {
    kubelet.once('connection', (socket) => {
      socket.once('close', resolve)
      say(socket, 1, 'one')
      say(socket, 1, 'two')
    })
  })
  const enough = new Error('enough')
  let calls = 0
  const onStdout = (): void => {
    calls += 1
    throw enough
  }
  await expect(kube.execCommand('shop', 'web-0', { ...command, onStdout })).rejects.toBe(enough)
  await closed
  expect(calls).toBe(1)
})

it('that is refused names the right', async () => {
  api.server.removeAllListeners('upgrade')
  api.server.on('upgrade', (_request, socket) => {
    const body = JSON.stringify({
      kind: 'Status',
      message: 'User "ann" cannot create resource "pods/exec" in API group ""',
    })
    socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
  })
  await expect(kube.execCommand('shop', 'web-0', command)).rejects.toMatchObject({
    code: 'forbidden',
    message: 'User ann may not create pods/exec in namespace shop.',
    fix: expect.stringContaining('--verb=create --resource=pods/exec'),
  })
})
