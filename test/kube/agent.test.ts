import { once } from 'node:events'
import http from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ClusterAgent } from '../../src/kube/net/agent.ts'
import { accessTo } from './client-of.ts'
import { FakeApi, json } from './fake-api.ts'

let api: FakeApi
let now: number
let agent: ClusterAgent

beforeEach(async () => {
  api = await new FakeApi().start()
  api.handler = (_request, response) => json(response, {})
  now = 0
  agent = new ClusterAgent(
    accessTo(api.url),
    {},
    {
      connectTimeoutMs: 1_000,
      now: () => now,
    },
  )
})
afterEach(async () => {
  agent.destroy()
  await api.stop()
})

/** @returns whether it went over a connection that was there */
async function ask(): Promise<boolean> {
  agent.dropStale()
  const request = http.get(api.url, { agent })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.resume()
  await once(response, 'close')
  // The agent has the socket back on the next turn.
  await new Promise((resolve) => setImmediate(resolve))
  return request.reusedSocket
}

test('a connection is used again while it is fresh, and not when it may have died in its sleep', async () => {
  expect(await ask()).toBe(false)
  now += 1_000
  expect(await ask()).toBe(true)
  now += 2_001
  expect(await ask()).toBe(false)
  expect(await ask()).toBe(true)
})
