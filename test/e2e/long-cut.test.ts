// Beside link.test.ts, so that both may run at the same time.
import { afterEach, test } from 'vitest'
import { cutDuringTransfer } from './support/cut-during-transfer.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'

const s = scenario()

afterEach(async () => {
  await s.endRuns()
  await expectAsBefore(s.kube, s.namespace, s.before)
})

test('the link is cut for 40 s during a transfer: nothing is lost or doubled', { timeout: 240_000 }, () =>
  cutDuringTransfer(s, 40),
)
