import { expect } from 'vitest'
import type { Scenario } from './scenario.ts'

/** Cuts the laptop's link for so long while bytes go both ways: nothing is lost or doubled, and no other request waits. */
export async function cutDuringTransfer(s: Scenario, seconds: number): Promise<void> {
  const { link } = s.cluster.driver
  if (!link) throw new Error('this cluster has no link to cut')
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  const bytes = 60_000_000
  await link.set('--rate', '100mbit', '--rtt', '10ms')
  const transfers = (['up', 'down'] as const).map((direction) =>
    s.caller.callLong<{ who: string; intact: boolean; bytes: number }>('transfer', { ...at, direction, bytes }),
  )
  const others = await s.caller.load({ ...at, everyMs: 100, timeoutMs: 60_000 })
  await run.until('active')
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await link.set('--down')
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  await link.set('--up')
  for (const transfer of transfers) expect(await transfer).toMatchObject({ who: 'laptop', intact: true, bytes })
  await link.set('--rate', '0mbit', '--rtt', '0ms')
  const result = await others.stop()
  expect(result.errors).toEqual({})
  if (seconds >= 10) {
    // New requests did not wait for the laptop.
    expect(Object.keys(result.by).some((who) => who.startsWith('orders-'))).toBe(true)
    expect(
      (await run.until('tunnel', ({ state, downMs }) => state === 'up' && downMs !== undefined)).downMs,
    ).toBeGreaterThan(500)
  }
  await s.settled('orders', 'laptop')
  expect(await run.interrupt()).toBe(0)
}
