import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { codeOf } from '../../../../src/errors.ts'
import type { TwinMount } from '../protocol.ts'
import { type Libc, MountFlag } from './libc.ts'

const { Bind, Recursive, ReadOnly, Remount, NoSuid, NoDev, NoExec } = MountFlag

/**
 * Puts files and directories to their places in this mount namespace. Where a place does not exist, the directory that it
 * would be in is replaced by one in memory that has all its entries and one more: outside nothing is made.
 */
export class Mounts {
  readonly #libc: Libc
  readonly #scratch: string
  /** Directories of this namespace in which we may make entries. */
  readonly #ours = new Set<string>()
  #made = 0

  /** @param scratch an empty directory for what has to be somewhere */
  constructor(libc: Libc, scratch: string) {
    this.#libc = libc
    this.#scratch = scratch
  }

  /** @throws InterceptError with the errno's name */
  add(mounts: readonly TwinMount[]): void {
    const depth = ({ target }: TwinMount): number => target.split('/').length
    const shallowFirst = [...mounts].sort((a, b) => depth(a) - depth(b))
    for (const outer of shallowFirst) {
      for (const inner of shallowFirst) {
        const within = relative(outer.target, inner.target)
        if (outer.kind !== 'directory' || within === '' || within.startsWith('..')) continue
        make(join(outer.source, within), inner.kind)
      }
    }
    for (const mount of shallowFirst) this.#add(mount)
  }

  #add({ source, target, kind, readOnly }: TwinMount): void {
    const at = this.#place(target, kind)
    this.#libc.mount(source, at, '', Bind | Recursive)
    if (readOnly) this.#makeReadOnly(at)
  }

  /** What is locked on the file system below has to stay as it is; what that is, is not told. */
  #makeReadOnly(at: string): void {
    const flags = Remount | Bind | ReadOnly | NoSuid | NoDev
    try {
      this.#libc.mount('', at, '', flags)
    } catch (error) {
      if (codeOf(error) !== 'EPERM') throw error
      this.#libc.mount('', at, '', flags | NoExec)
    }
  }

  /** The path to mount at, without links; made where it does not exist. */
  #place(target: string, kind: TwinMount['kind']): string {
    if (existsSync(target)) return realpathSync(target)
    let parent = dirname(target)
    while (!existsSync(parent)) parent = dirname(parent)
    const real = realpathSync(parent)
    if (!this.#ours.has(real)) this.#own(real)
    const place = join(real, relative(parent, target))
    for (let made = dirname(place); made !== real; made = dirname(made)) this.#ours.add(made)
    make(place, kind)
    return place
  }

  /** Replaces a directory by one in memory with the same entries. */
  #own(directory: string): void {
    this.#made += 1
    const copy = join(this.#scratch, String(this.#made))
    mkdirSync(copy)
    this.#libc.mount('tmpfs', copy, 'tmpfs', NoSuid | NoDev)
    for (const name of readdirSync(directory)) this.#bindEntry(join(directory, name), join(copy, name))
    if (directory === '/') this.#libc.pivotRoot(copy)
    else this.#libc.mount(copy, directory, '', Bind | Recursive)
    this.#ours.add(directory)
  }

  #bindEntry(from: string, to: string): void {
    const found = lstatSync(from, { throwIfNoEntry: false })
    if (!found) return
    if (found.isSymbolicLink()) {
      symlinkSync(readlinkSync(from), to)
      return
    }
    if (found.isDirectory()) mkdirSync(to)
    else make(to, 'file')
    try {
      this.#libc.mount(from, to, '', Bind | Recursive)
    } catch (error) {
      // Of what may not even be looked at, the name is all there is.
      if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'ENOENT') throw error
    }
  }
}

function make(path: string, kind: TwinMount['kind']): void {
  if (existsSync(path)) return
  mkdirSync(kind === 'directory' ? path : dirname(path), { recursive: true })
  if (kind === 'file') closeSync(openSync(path, 'a'))
}
