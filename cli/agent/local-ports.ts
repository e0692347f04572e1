import { setTimeout as elapsed } from 'node:timers/promises'
import { InterceptError } from '../../src/errors.ts'
import { formatDuration } from '../../src/units.ts'
import { paint } from '../ui/colors.ts'
import type { Ui } from '../ui/ui.ts'
import type { LocalCommand } from './local-command.ts'
import { isListening } from './local-process.ts'

const lookMs = 100

/**
 * Looks whether the local ports answer. Warns of one that does not, or waits for it up to `waitMs`, but no longer than the
 * command lives.
 * @returns the exit code of the command where it ended before that; undefined where all is well
 * @throws InterceptError 'local-port-closed' where the wait was in vain; what the command ended with; the signal's reason
 */
export async function checkLocalPorts(
  ui: Ui,
  locals: readonly number[],
  waitMs: number | undefined,
  command: Pick<LocalCommand, 'dial' | 'ended'> | undefined,
  interrupted: AbortSignal,
): Promise<number | undefined> {
  const deadline = Date.now() + (waitMs ?? 0)
  let isOver = false
  const ended = command?.ended.finally(() => {
    isOver = true
  })
  // It is looked at below, where it matters.
  ended?.catch(() => undefined)
  for (const local of locals) {
    let told = false
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
      if (ended && isOver) {
        const code = await ended
        ui.warn('command-ended', `the command ended before it listened on localhost:${local}; nothing was intercepted`)
        return code
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
      const text = `waiting for localhost:${local}`
      // With a command the terminal is its own: one line, and no more.
      if (!command) ui.live.set(() => text)
      else if (!told) ui.event({ event: 'waiting', for: `localhost:${local}` }, paint.aside(text))
      told = true
      await elapsed(lookMs)
    }
  }
  return undefined
}
