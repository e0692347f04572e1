import { randomInt } from 'node:crypto'
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { visibleLinks } from './visible-links.ts'
import { inside, sameFiles, type VolumeDirectory, writeVolumeFile } from './volume-directory.ts'
import type { VolumeFiles } from './volume-files.ts'

/** Leads to the files as they are now, in each volume that the kubelet writes. */
export const dataLink = '..data'
const newDataLink = '..data_tmp'

/**
 * A folder whose files change all at once, as the kubelet's writer does it (pkg/volume/util/atomic_writer.go): the files
 * lie in a folder `..TIME.NUMBER`, `..data` is a link to it that is replaced by a rename, and the names that are seen are
 * links to `..data/NAME`. So programs that watch a file see the events that they would see in the pod.
 */
export class AtomicDirectory implements VolumeDirectory {
  readonly #path: string
  readonly #covered: readonly string[]
  readonly #now: () => Date
  #files: VolumeFiles | undefined
  #data: string | undefined
  #links = new Map<string, string>()

  /** @param covered clean relative paths at which other mounts lie */
  constructor(path: string, covered: readonly string[] = [], now: () => Date = () => new Date()) {
    this.#path = path
    this.#covered = covered
    this.#now = now
  }

  async write(files: VolumeFiles): Promise<boolean> {
    if (sameFiles(this.#files, files)) return false
    await mkdir(this.#path, { recursive: true, mode: 0o755 })
    const data = `..${timeName(this.#now())}.${randomInt(1e9, 1e10)}`
    try {
      await mkdir(join(this.#path, data), { mode: 0o755 })
      for (const [path, file] of files) await writeVolumeFile(inside(join(this.#path, data), path), file)
      await rm(join(this.#path, newDataLink), { force: true })
      await symlink(data, join(this.#path, newDataLink))
      await rename(join(this.#path, newDataLink), join(this.#path, dataLink))
    } catch (error) {
      await rm(join(this.#path, data), { recursive: true, force: true })
      throw error
    }
    const old = this.#data
    this.#data = data
    await this.#link(visibleLinks(files.keys(), this.#covered))
    if (old !== undefined) await rm(join(this.#path, old), { recursive: true, force: true })
    this.#files = files
    return true
  }

  async #link(links: Map<string, string>): Promise<void> {
    for (const [name, target] of links) {
      if (this.#links.has(name)) continue
      await rm(join(this.#path, name), { force: true })
      await symlink(target, join(this.#path, name))
    }
    for (const name of this.#links.keys()) if (!links.has(name)) await rm(join(this.#path, name), { force: true })
    this.#links = links
  }
}

/** `2026_01_31_09_05_00.` as Go's layout has it. */
const timeName = (now: Date): string => now.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '_')
