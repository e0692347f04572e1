import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Ends a Node process when the one that started it is gone, however that happened. */
const guardScript = `process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.channel?.unref()
`

/**
 * Starts a Node process that never outlives us, and that a Ctrl-C in our terminal does not reach by itself. `folder` is
 * where the guard's script is put.
 */
export function spawnGuarded(folder: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const guard = join(folder, 'guard.cjs')
  writeFileSync(guard, guardScript)
  return spawn(process.execPath, ['--require', guard, ...args], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}
