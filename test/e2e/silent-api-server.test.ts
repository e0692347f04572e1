import { afterEach, expect, test } from 'vitest'
import type { LoadResult } from './apps/caller-http.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'

const s = scenario()

afterEach(async () => {
  await s.endRuns()
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('the API server does not answer for 30 s: no request fails, and all goes on after', { timeout: 180_000 }, async ({
  skip,
}) => {
  const { pauseApi } = s.cluster.driver
  if (!pauseApi) return skip('the API server of this cluster cannot be paused')
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  const load = await s.caller.start<LoadResult>('loadFor', { ...at, everyMs: 50, timeoutMs: 60_000, forMs: 45_000 })
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const resume = await pauseApi()
  await new Promise((resolve) => setTimeout(resolve, 30_000))
  await resume()
  const result = await load.result()
  expect(result.errors).toEqual({})
  expect(result.ok).toBe(result.sent)
  await s.settled('orders', 'laptop')
  expect(await run.interrupt()).toBe(0)
})
