import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { InterceptError } from '../../src/errors.ts'

/** Watched from the start: a command may have ended before anybody asks. */
const ends = new WeakMap<ChildProcess, Promise<number>>()

/** The command after `--`. Shares our terminal. @param env all of its environment */
export function startChild(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): ChildProcess {
  const [file = '', ...args] = command
  const child = spawn(file, args, { stdio: 'inherit', env: { ...env } })
  const end = new Promise<number>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new InterceptError('command-not-started', `${file} could not be started: ${error.message}`)),
    )
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)))
  })
  // Whoever asks is told.
  end.catch(() => undefined)
  ends.set(child, end)
  return child
}

/** As shells have it: 128 and its number where a signal ended it. */
export const exitCodeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? (signal ? 128 + constants.signals[signal] : 1)

/** The child's exit code once it ends; never without a child. @throws InterceptError 'command-not-started' */
export function childEnd(child: ChildProcess | undefined): Promise<number> {
  return (child && ends.get(child)) ?? new Promise(() => undefined)
}

/** What still runs when it is to end gets so long, in milliseconds. */
const graceMs = 2_000

/** Ends it where it still runs: asks, and later does not ask. Resolves when it has ended. */
export async function endChild(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  child.kill('SIGTERM')
  // One that is stopped sees it only when it goes on.
  if (process.platform !== 'win32') child.kill('SIGCONT')
  const insist = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await once(child, 'exit')
  clearTimeout(insist)
}
