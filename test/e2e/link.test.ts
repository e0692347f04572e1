import { afterEach, expect, test } from 'vitest'
import { cutDuringTransfer } from './support/cut-during-transfer.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'

const s = scenario()

afterEach(async () => {
  await s.endRuns()
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test.each([1, 10])(
  'the link is cut for %i s during a transfer: nothing is lost or doubled',
  { timeout: 240_000 },
  (seconds) => cutDuringTransfer(s, seconds),
)

test('the laptop gets another address, as on another Wi-Fi: a transfer goes on', { timeout: 120_000 }, async ({
  skip,
}) => {
  const { link, kind } = s.cluster.driver
  if (!link || kind === 'embedded') return skip('there is no link with addresses')
  const at = await s.at('orders')
  const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
  await s.settled('orders', 'laptop')
  await link.set('--rate', '100mbit')
  const transfer = s.caller.callLong<{ ms: number }>('transfer', { ...at, direction: 'down', bytes: 40_000_000 })
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await link.set('--readdress')
  const result = await transfer
  expect(result).toMatchObject({ who: 'laptop', intact: true })
  await link.set('--rate', '0mbit')
  console.log(`another address in the middle of it: 40 MB at 100 Mbit/s took ${Math.round(result.ms)} ms`)
  expect(await run.interrupt()).toBe(0)
})
