import { readlinkSync } from 'node:fs'
import { lstat, mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../../../src/errors.ts'
import { removeTree } from './remove-tree.ts'

/** `intercept-files-PID-PIDNAMESPACE-RANDOM`: a process id means nothing in another namespace of them. */
const pattern = /^intercept-files-(\d+)-(\d+)-\w+$/

/**
 * A new folder that only this user can enter, for what `openPodFiles` writes: under XDG_RUNTIME_DIR, which is memory on
 * most Linux machines, else under the temporary folder. What processes left that are no more is removed first.
 * @throws system errors, where neither can be written to
 */
export async function makeFilesRoot(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { XDG_RUNTIME_DIR } = environment
  const places = [...(XDG_RUNTIME_DIR ? [XDG_RUNTIME_DIR] : []), tmpdir()]
  await Promise.all(places.map(removeLeftBehind))
  let failure: unknown
  for (const place of places) {
    try {
      // Its mode is 0700, whatever the umask.
      return await mkdtemp(join(place, `intercept-files-${process.pid}-${pidNamespace()}-`))
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

/** Removes the roots below `place` that are this user's and whose process is dead. */
export async function removeLeftBehind(place: string): Promise<void> {
  for (const name of await namesIn(place)) {
    const [, pid, namespace] = pattern.exec(name) ?? []
    if (pid === undefined || namespace !== pidNamespace() || isAlive(Number(pid))) continue
    const path = join(place, name)
    try {
      const found = await lstat(path)
      if (found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid)) await removeTree(path)
    } catch (error) {
      // Another process may be removing the same one; what cannot be removed keeps nobody from starting.
      if (codeOf(error) === undefined) throw error
    }
  }
}

async function namesIn(place: string): Promise<string[]> {
  try {
    return await readdir(place)
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return []
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

/** Its number on Linux; 0 elsewhere. */
function pidNamespace(): string {
  if (process.platform !== 'linux') return '0'
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
}
