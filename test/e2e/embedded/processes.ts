import { existsSync, readFileSync } from 'node:fs'

/** False also for a zombie: it has ended, and nobody has collected it yet, as happens in containers. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
  const file = `/proc/${pid}/stat`
  return !(existsSync(file) && / Z /.test(readFileSync(file, 'utf8')))
}

/** For what no event tells about. */
export async function untilTrue(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not so after ${timeoutMs} ms: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
