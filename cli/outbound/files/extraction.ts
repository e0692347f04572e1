import { chmodSync, closeSync, linkSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import { InterceptError } from '../../../src/errors.ts'
import { formatBytes } from '../../../src/units.ts'
import type { TarEntry, TarListener } from './tar-reader.ts'
import { inside } from './volume-directory.ts'
import { below, insidePath } from './volume-path.ts'

/** Of one volume that is copied. */
export const copyLimits = { bytes: 256 * 1024 * 1024, entries: 100_000 } as const

export interface ExtractionOptions {
  /** Where the archive's entries were in the pod; links are understood from there. */
  readonly mountPath: string
  /** A folder that is there and empty, or a file that is not; the first entry says which. */
  readonly target: string
  readonly limits?: { readonly bytes: number; readonly entries: number }
}

/**
 * Lays the entries of an archive down as read-only files. The first entry is what was archived; the others lie below it,
 * and nothing leaves the target: links come last, and only those that stay within. Everything is written at once, so that
 * what has been read need not wait in memory.
 */
export class Extraction implements TarListener {
  readonly #options: ExtractionOptions
  readonly #limits: { readonly bytes: number; readonly entries: number }
  readonly #files = new Set<string>()
  readonly #links = new Map<string, string>()
  readonly #skipped: string[] = []
  #base: string | undefined
  #kind: 'file' | 'directory' = 'directory'
  #open: { readonly fd: number; readonly path: string; readonly mode: number; left: number } | undefined
  #bytes = 0
  #entries = 0

  constructor(options: ExtractionOptions) {
    this.#options = options
    this.#limits = options.limits ?? copyLimits
  }

  get kind(): 'file' | 'directory' {
    return this.#kind
  }

  /** Paths that are not there: devices, and links that lead out. */
  get skipped(): readonly string[] {
    return this.#skipped
  }

  /** @throws InterceptError 'volume-too-large', system errors */
  onEntry(entry: TarEntry): void {
    this.#closeFile()
    this.#entries += 1
    this.#bytes += entry.size
    if (this.#bytes > this.#limits.bytes) throw tooLarge(formatBytes(this.#limits.bytes))
    if (this.#entries > this.#limits.entries) throw tooLarge(`${this.#limits.entries} files`)
    this.#base ??= this.#begin(entry)
    const path = this.#within(entry.path)
    if (path === undefined) this.#skipped.push(entry.path)
    else this.#lay(path, entry)
  }

  onData(chunk: Buffer): void {
    if (!this.#open) return
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#open.fd, chunk, at)
    this.#open.left -= chunk.length
    if (this.#open.left === 0) this.#closeFile()
  }

  /** After the last entry, also where the archive broke off. */
  end(): void {
    this.#closeFile()
    for (const [path, target] of this.#links) {
      // Seen from where another link leads, its target would be a different one.
      if ([...this.#links.keys()].some((other) => path.startsWith(`${other}/`))) {
        this.#skipped.push(path)
        continue
      }
      try {
        symlinkSync(target, this.#placeOf(path))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error
        this.#skipped.push(path)
      }
    }
    this.#links.clear()
  }

  #begin({ path, kind }: TarEntry): string {
    if (kind === 'file') this.#kind = 'file'
    return path
  }

  /** '' is what was archived. */
  #within(path: string): string | undefined {
    const base = this.#base ?? ''
    if (path === base) return ''
    const rest = base === '.' ? path.replace(/^\.\//, '') : below(base, path)
    const clean = rest === undefined ? { why: 'is elsewhere' } : insidePath(rest)
    return 'path' in clean && clean.path !== '' && this.#kind === 'directory' ? clean.path : undefined
  }

  #lay(path: string, { kind, mode, size, target }: TarEntry): void {
    const place = this.#placeOf(path)
    const isTop = path === ''
    switch (kind) {
      case 'folder':
        mkdirSync(place, { recursive: true, mode: 0o755 })
        return
      case 'file':
        this.#makeRoom(path, place)
        this.#files.add(path)
        this.#open = { fd: openSync(place, 'wx', 0o600), path: place, mode: (mode & 0o555) | 0o400, left: size }
        if (size === 0) this.#closeFile()
        return
      case 'hard-link': {
        const other = this.#within(target)
        if (isTop || other === undefined || !this.#files.has(other)) this.#skipped.push(path)
        else {
          this.#makeRoom(path, place)
          linkSync(this.#placeOf(other), place)
          this.#files.add(path)
        }
        return
      }
      case 'symbolic-link': {
        const inner = isTop ? undefined : this.#linkWithin(path, target)
        if (inner === undefined) this.#skipped.push(path)
        else {
          this.#makeRoom(path, place)
          this.#links.set(path, inner)
        }
        return
      }
      case 'other':
        this.#skipped.push(path)
        return
      default:
        kind satisfies never
    }
  }

  /** An archive may have a path twice; then the later one counts. */
  #makeRoom(path: string, place: string): void {
    mkdirSync(dirname(place), { recursive: true, mode: 0o755 })
    if (this.#files.delete(path)) rmSync(place)
    this.#links.delete(path)
  }

  /** The link's target as seen from the link, where it is within the volume. */
  #linkWithin(path: string, target: string): string | undefined {
    const { mountPath } = this.#options
    const folder = posix.dirname(posix.join(mountPath, path))
    const leadsTo = posix.resolve(folder, target)
    if (leadsTo !== mountPath && below(mountPath, leadsTo) === undefined) return undefined
    return posix.relative(folder, leadsTo) || '.'
  }

  #placeOf(path: string): string {
    return path === '' ? this.#options.target : inside(this.#options.target, path)
  }

  #closeFile(): void {
    if (!this.#open) return
    const { fd, path, mode } = this.#open
    this.#open = undefined
    closeSync(fd)
    chmodSync(path, mode)
  }
}

function tooLarge(limit: string): InterceptError {
  return new InterceptError('volume-too-large', `it has more than ${limit}, which is as much as is copied`)
}
