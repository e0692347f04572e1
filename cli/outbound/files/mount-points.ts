import { lstat, mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { codeOf } from '../../../src/errors.ts'
import { removeTree } from './remove-tree.ts'

/** Places for mounts below a root. Links that others made are never followed. */
export class MountPoints {
  readonly root: string
  readonly #links = new Set<string>()

  constructor(root: string) {
    this.root = root
  }

  pathOf(mountPath: string): string {
    return join(this.root, ...mountPath.split('/'))
  }

  /** Makes the folders above a mount path, and takes away what lies at it. @returns where it is */
  async make(mountPath: string): Promise<string> {
    const names = mountPath.split('/').filter((name) => name !== '')
    const last = names.pop() ?? ''
    let at = this.root
    for (const name of names) {
      at = join(at, name)
      const found = await kindOf(at)
      if (found === 'folder' || (found === 'link' && this.#links.has(at))) continue
      if (found !== 'none') await rm(at, { force: true })
      await mkdir(at, { mode: 0o755 })
    }
    at = join(at, last)
    if ((await kindOf(at)) !== 'none') await removeTree(at)
    return at
  }

  /** A link at a mount path to another folder below the root. */
  async link(mountPath: string, target: string): Promise<void> {
    const at = await this.make(mountPath)
    await symlink(relative(dirname(at), target), at, 'junction')
    this.#links.add(at)
  }
}

async function kindOf(path: string): Promise<'none' | 'folder' | 'link' | 'other'> {
  try {
    const found = await lstat(path)
    if (found.isDirectory()) return 'folder'
    return found.isSymbolicLink() ? 'link' : 'other'
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'none'
    throw error
  }
}
