import { randomInt } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { topOf } from './visible-links.ts'
import { inside, sameFiles, type VolumeDirectory, writeVolumeFile } from './volume-directory.ts'
import type { VolumeFiles } from './volume-files.ts'

/**
 * A folder of plain files, each replaced by a rename: for parts of a volume, which do not follow it, and for systems on
 * which not everybody may make symbolic links (Windows).
 */
export class PlainDirectory implements VolumeDirectory {
  readonly #path: string
  readonly #covered: readonly string[]
  #files: VolumeFiles | undefined

  /** @param covered clean relative paths at which other mounts lie */
  constructor(path: string, covered: readonly string[] = []) {
    this.#path = path
    this.#covered = covered
  }

  async write(files: VolumeFiles): Promise<boolean> {
    if (sameFiles(this.#files, files)) return false
    await mkdir(this.#path, { recursive: true, mode: 0o755 })
    for (const [path, file] of files) {
      if (this.#isCovered(path)) continue
      const target = inside(this.#path, path)
      const fresh = `${inside(this.#path, `${dirname(path)}/..new`)}.${randomInt(1e9, 1e10)}`
      await writeVolumeFile(fresh, file)
      await rename(fresh, target)
    }
    for (const path of this.#files?.keys() ?? []) {
      if (!files.has(path) && !this.#isCovered(path)) await rm(inside(this.#path, path), { force: true })
    }
    this.#files = files
    return true
  }

  #isCovered(path: string): boolean {
    return this.#covered.some((mount) => topOf(mount) === topOf(path))
  }
}
