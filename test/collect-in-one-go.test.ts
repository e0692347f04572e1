import { constants, PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { collectInOneGo } from '../src/collect-in-one-go.ts'

/** Buffers that live for a few turns of the event loop, as a transfer has them. @returns how often a marking began */
async function markingsOfTransfer(): Promise<number> {
  let begun = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // Node's own; the type is the web's.
      const { detail } = entry as unknown as { detail: { kind: number } }
      if (detail.kind === constants.NODE_PERFORMANCE_GC_INCREMENTAL) begun += 1
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  let underWay: Buffer[] = []
  for (let turn = 0; turn < 400; turn += 1) {
    for (let read = 0; read < 50; read += 1) underWay.push(Buffer.allocUnsafeSlow(64 * 1_024))
    underWay = underWay.slice(-64)
    await nextTurn()
  }
  await nextTurn()
  observer.disconnect()
  return begun
}

test('buffers that come and go do not begin markings', async () => {
  expect(await markingsOfTransfer()).toBeGreaterThan(0)
  collectInOneGo()
  // One may have been under way.
  await markingsOfTransfer()
  expect(await markingsOfTransfer()).toBe(0)
})
