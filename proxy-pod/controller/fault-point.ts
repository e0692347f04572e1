import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Step } from '../../src/takeover/plan.ts'

/**
 * For tests of crashes: the process ends at once before or after each kind of step of which a file in its
 * temporary folder (it outlives the container, and goes with the pod) does not say that it was done. Armed by
 * INTERCEPT_FAULT_POINTS=`before:add-key,after:remove-key`; never in an installation that did not ask for it.
 */
export function passFaultPoint(armed: readonly string[], when: 'before' | 'after', step: Step): void {
  const point = `${when}:${step.kind}`
  if (!armed.includes(point)) return
  const marker = join(tmpdir(), `intercept-fault-${when}-${step.kind}`)
  if (existsSync(marker)) return
  writeFileSync(marker, '')
  // Not SIGKILL: the first process of a container cannot send it to itself. Nothing runs after this either.
  process.exit(137)
}
