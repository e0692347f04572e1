import { createServer } from 'node:http'
import { expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { type Carrier, webSocketCarrier } from '../../src/tunnel/index.ts'

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
