import { InterceptError } from '../../../src/errors.ts'
import { formatBytes } from '../../../src/units.ts'
import { dataLink } from './atomic-directory.ts'
import type { TarEntry, TarListener } from './tar-reader.ts'
import type { VolumeFile, VolumeFiles } from './volume-files.ts'
import { below } from './volume-path.ts'

/** Of a mount. Files that links lead to may come three times. */
const maxBytes = 16 * 1024 * 1024

/**
 * The files of an archive, by path below its first entry: those behind `..data`, where there is one, else those that are
 * no names of the kubelet's. Other mounts may lie beside `..data`.
 */
export class MemoryFiles implements TarListener {
  /** By path in the archive. */
  readonly #all = new Map<string, VolumeFile>()
  #base: string | undefined
  #hasData = false
  #open: { readonly path: string; readonly mode: number; readonly chunks: Buffer[] } | undefined
  #bytes = 0

  get all(): VolumeFiles {
    this.#close()
    const base = this.#base ?? ''
    const top = this.#hasData ? `${base}/${dataLink}` : base
    return new Map(
      [...this.#all].flatMap(([path, file]): [string, VolumeFile][] => {
        const rest = path === top ? '' : below(top, path)
        return rest === undefined || rest.startsWith('..') ? [] : [[rest, file]]
      }),
    )
  }

  onEntry({ path, kind, mode, size, target }: TarEntry): void {
    this.#close()
    this.#base ??= path
    this.#bytes += size
    if (this.#bytes > maxBytes)
      throw new InterceptError('volume-too-large', `it has more than ${formatBytes(maxBytes)}`)
    if (path === `${this.#base}/${dataLink}`) this.#hasData = true
    if (kind === 'file') this.#open = { path, mode, chunks: [] }
    // What links lead to twice is told once, by some.
    const other = kind === 'hard-link' ? this.#all.get(target) : undefined
    if (other) this.#all.set(path, other)
  }

  onData(chunk: Buffer): void {
    this.#open?.chunks.push(Buffer.from(chunk))
  }

  #close(): void {
    if (!this.#open) return
    const { path, mode, chunks } = this.#open
    this.#all.set(path, { data: Buffer.concat(chunks), mode })
    this.#open = undefined
  }
}
