import { readdirSync, readlinkSync } from 'node:fs'
import { codeOf } from '../../../src/errors.ts'

/** Between two looks at who is still there, in milliseconds: nothing tells of the end of a process that is not a child. */
const lookMs = 20

/** Name of the network namespace of a process; undefined where it has ended, or is another user's. */
export function networkNamespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}

/** Processes of a network namespace but our own. */
export function inhabitants(namespace: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && networkNamespaceOf(pid) === namespace)
}

/** Ends them: asks, and after `graceMs` does not ask. Resolves when none is there. */
export async function endInhabitants(namespace: string, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs
  const asked = new Set<number>()
  for (let left = inhabitants(namespace); left.length > 0; left = inhabitants(namespace)) {
    const insist = Date.now() >= deadline
    for (const pid of left) {
      if (!insist && asked.has(pid)) continue
      asked.add(pid)
      signal(pid, insist ? 'SIGKILL' : 'SIGTERM')
      // One that is stopped sees it only when it goes on.
      signal(pid, 'SIGCONT')
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}
