import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Agent } from '../../../cli/agent/agent.ts'
import type { Tunnel } from '../../../src/tunnel/index.ts'
import { tunnelPair } from '../../tunnel/support/tunnel-pair.ts'
import { turns } from '../support/peer.ts'
import { Port } from '../support/port.ts'

async function became(tunnel: Tunnel, up: boolean): Promise<void> {
  while ((tunnel.state === 'up') !== up) await turns(1)
}

const post = (number: number): string => `POST /${number} HTTP/1.1\r\nhost: orders\r\ncontent-length: 0\r\n\r\n`

test('a carrier that is cut while orders are placed: each is placed once', async () => {
  const placed: string[] = []
  const local = createServer((incoming, response) => {
    placed.push(incoming.url ?? '')
    response.end('placed')
  })
  local.listen(0, '127.0.0.1')
  await once(local, 'listening')
  const pair = await tunnelPair({ limits: { graceMs: 5_000 } })
  const { port: localPort } = local.address() as AddressInfo
  const agent = new Agent(new Map([[80, localPort]]), 0, {
    onConnection: () => undefined,
    onClosed: () => undefined,
    onExchange: () => undefined,
    onLocalDown: () => undefined,
  })
  pair.client.onStream = (stream) => agent.serve(stream)
  await pair.client.became('up')
  const { tunnel } = await pair.server
  const port = await Port.open({ tunnel }, (peer) => {
    placed.push('at the origin')
    peer.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
  })
  onTestFinished(async () => {
    await pair.close()
    local.closeAllConnections()
    local.close()
  })
  let number = 0
  for (let round = 0; round < 10; round += 1) {
    const clients = await Promise.all([1, 2, 3].map(() => port.dial()))
    const before = placed.length
    for (const client of clients) {
      number += 1
      client.write(post(number))
    }
    // The local process has them; the laptop's word of it is on its way.
    while (placed.length === before) await turns(1)
    pair.carriers.at(-1)?.break()
    await became(tunnel, false)
    port.tunnelChanged()
    await Promise.all(clients.map((client) => client.until(({ length, closed }) => length > 0 || closed)))
    await became(tunnel, true)
    port.tunnelChanged()
    for (const client of clients) client.reset()
  }
  expect(placed.sort()).toEqual(Array.from({ length: number }, (_, index) => `/${index + 1}`).sort())
})
