import { Interrupts, Stopped } from '../agent/interrupts.ts'
import type { CommandContext } from '../command.ts'
import { ExitCode } from '../exit-codes.ts'
import { Ui } from '../ui/ui.ts'
import { openSurroundings, type SurroundingsRequest } from './open-surroundings.ts'
import { passSignals } from './pass-signals.ts'
import type { Surroundings } from './surroundings.ts'

/** Runs the command after `--` (or a shell) in surroundings that are taken away with its end. @returns its exit code */
export async function runInSurroundings(given: CommandContext, request: SurroundingsRequest): Promise<number> {
  const shell = process.env.SHELL ?? (process.platform === 'win32' ? 'powershell' : 'sh')
  const rest = given.rest.length > 0 ? given.rest : [shell]
  // stdout is the command's.
  const ui = given.ui.isJson ? given.ui : new Ui('text', process.stderr)
  const context = { ...given, ui, rest }
  const interrupts = new Interrupts()
  let surroundings: Surroundings | undefined
  try {
    const kube = await context.kube()
    ui.live.set(() => `looking up what ${kube.namespace} has for it`)
    surroundings = await openSurroundings(context, kube, request, interrupts.first)
    ui.live.clear()
    interrupts.first.throwIfAborted()
    interrupts.stop()
    const stop = passSignals(surroundings)
    try {
      return await surroundings.run(rest)
    } finally {
      stop()
    }
  } catch (error) {
    if (error instanceof Stopped) return ExitCode.Failure
    throw error
  } finally {
    ui.live.clear()
    const ignore = new Interrupts()
    await surroundings?.close()
    ignore.stop()
    interrupts.stop()
    ui.event({ event: 'ended' })
  }
}
