import { chmod, lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../../src/errors.ts'

/** Removes a tree, also one with folders that its owner may not write to. Links are removed, never followed. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes(codeOf(error) ?? '')) throw error
    await unlock(path)
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** What goes meanwhile is no matter. */
async function unlock(folder: string): Promise<void> {
  try {
    if (!(await lstat(folder)).isDirectory()) return
    await chmod(folder, 0o700)
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) await unlock(join(folder, entry.name))
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
