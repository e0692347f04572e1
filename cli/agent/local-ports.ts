import { InterceptError } from '../../src/errors.ts'
import { formatDuration } from '../../src/units.ts'
import type { Ui } from '../ui/ui.ts'
import type { LocalCommand } from './local-command.ts'
import { isListening } from './local-process.ts'

/**
 * Looks whether the local ports answer. Warns of one that does not, or waits for it up to `waitMs`.
 * @throws InterceptError 'local-port-closed' where the wait was in vain; the signal's reason
 */
export async function checkLocalPorts(
  ui: Ui,
  locals: readonly number[],
  waitMs: number | undefined,
  command: Pick<LocalCommand, 'dial'> | undefined,
  interrupted: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + (waitMs ?? 0)
  for (const local of locals) {
    while (!(await isListening(local, command?.dial))) {
      if (interrupted.aborted) throw interrupted.reason
      if (waitMs === undefined) {
        if (command) break
        ui.warn(
          'local-port-closed',
          `nothing listens on localhost:${local} yet; until something does, the cluster's own pods answer`,
        )
        break
      }
      if (Date.now() > deadline) {
        throw new InterceptError(
          'local-port-closed',
          `nothing listens on localhost:${local} after ${formatDuration(waitMs)}`,
          {
            fix: 'start the local process, or leave --wait out to go on without it',
          },
        )
      }
      ui.live.set(() => `waiting for localhost:${local}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
