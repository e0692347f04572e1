import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createCa, issueServingCertificate } from '../../src/pki/index.ts'
import { type Carrier, dialWebSocket, webSocketCarrier } from '../../src/tunnel/index.ts'
import { webSocketHeaderBytes, writeWebSocketHeader } from '../../src/tunnel/web-socket-frame.ts'
import { bytesFrom } from './support/bytes.ts'

it('works on any WebSocket, also where the socket beneath is not at hand', async () => {
  const http = createServer().listen(0, '127.0.0.1')
  const server = new WebSocketServer({ server: http })
  const far = new Promise<Carrier>((resolve) => server.once('connection', (ws) => resolve(webSocketCarrier(ws))))
  await new Promise((resolve) => http.once('listening', resolve))
  const ws = new WebSocket(`ws://127.0.0.1:${(http.address() as { port: number }).port}`)
  await new Promise((resolve) => ws.once('open', resolve))
  const near = webSocketCarrier(ws)
  const echo = await far
  echo.onMessage = (message) => echo.send([message, Buffer.from('!')])
  const answer = new Promise<Buffer>((resolve) => {
    near.onMessage = resolve
  })
  near.send([Buffer.from('hel'), Buffer.from('lo')])
  expect((await answer).toString()).toBe('hello!')
  const closed = new Promise<string>((resolve) => {
    near.onClose = resolve
  })
  ws.send('text is not ours')
  expect(await closed).toContain('1003')
  server.close()
  http.close()
})

/** A server of one upgrade over TLS, which says `first` with its answer, and `later` when the client has spoken. */
async function upgradeOverTls(first: Buffer, later: readonly Buffer[]) {
  const authority = await createCa()
  const server = createHttpsServer(await issueServingCertificate(authority, { dnsNames: [], ips: ['127.0.0.1'] }))
  server.once('upgrade', (request, socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    const head = `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`
    socket.write(Buffer.concat([Buffer.from(head), first]))
    socket.once('data', () => {
      for (const chunk of later) socket.write(chunk)
    })
    socket.on('error', () => socket.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const carrier = await dialWebSocket({ url: `wss://127.0.0.1:${port}/`, options: { ca: authority.cert } })
  return { carrier, server }
}

function message(payload: Buffer): Buffer {
  const header = Buffer.alloc(webSocketHeaderBytes(payload.length, false))
  writeWebSocketHeader(header, payload.length, false)
  return Buffer.concat([header, payload])
}

it('over TLS gets every message in order, those that came with the answer first', async () => {
  const payloads = [70_000, 10, 65_528, 200_000, 1].map((size, index) => bytesFrom(size, index, size))
  const [early, ...late] = payloads as [Buffer, ...Buffer[]]
  const { carrier, server } = await upgradeOverTls(message(early), late.map(message))
  const got: Buffer[] = []
  const all = new Promise<void>((resolve) => {
    carrier.onMessage = (one) => {
      got.push(one)
      if (got.length === 1) carrier.send([Buffer.from('go on')])
      if (got.length === payloads.length) resolve()
    }
  })
  await all
  expect(got.map((one, index) => one.equals(payloads[index] as Buffer))).toEqual(payloads.map(() => true))
  carrier.close(1_000, '')
  server.close()
})

it('over TLS is closed by what is no message, and says so', async () => {
  const noMessage = Buffer.from('HTTP/1.1 503 Service Unavailable\r\n\r\n')
  const { carrier, server } = await upgradeOverTls(Buffer.alloc(0), [message(Buffer.from('one')), noMessage, noMessage])
  const got: string[] = []
  carrier.onMessage = (one) => got.push(one.toString())
  const closed = new Promise<string>((resolve) => {
    carrier.onClose = resolve
  })
  carrier.send([Buffer.from('go on')])
  expect(await closed).toContain('something else than whole binary messages')
  expect(got).toEqual(['one'])
  server.close()
})
