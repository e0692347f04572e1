import { InterceptError } from '../../../src/errors.ts'

/** How an archive writes the kind of an entry (POSIX.1-2017, pax, "ustar Interchange Format"; `L` and `K` are GNU's). */
const kinds: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hard-link',
  '2': 'symbolic-link',
  '5': 'folder',
}

export interface TarEntry {
  /** As it is written, without a slash at its end; not judged. */
  readonly path: string
  readonly kind: 'file' | 'folder' | 'symbolic-link' | 'hard-link' | 'other'
  /** Permission bits. */
  readonly mode: number
  /** Bytes that follow. */
  readonly size: number
  /** Of a link; not judged. */
  readonly target: string
}

export interface TarListener {
  onEntry(entry: TarEntry): void
  /** The next bytes of the latest entry; a view, good until this returns. */
  onData(chunk: Buffer): void
}

const blockBytes = 512
/** Of a long name, or of a header of extended attributes. */
const metaBytes = 1024 * 1024

/** Reads an archive of tar (ustar, pax, GNU) in whatever pieces it comes. */
export class TarReader {
  readonly #listener: TarListener
  #rest = Buffer.alloc(0)
  /** Of the entry that is read: bytes of content, and of what fills its last block. */
  #left = 0
  #padding = 0
  #meta: { readonly type: string; readonly chunks: Buffer[] } | undefined
  #next = new Map<string, string>()
  #ended = false

  constructor(listener: TarListener) {
    this.#listener = listener
  }

  /** True once the archive said that it is complete. */
  get ended(): boolean {
    return this.#ended
  }

  /** @throws InterceptError 'bad-archive', and whatever the listener throws */
  push(chunk: Buffer): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    while (!this.#ended && bytes.length > 0) {
      const taken = this.#take(bytes)
      if (taken === 0) break
      bytes = bytes.subarray(taken)
    }
    this.#rest = this.#ended ? Buffer.alloc(0) : Buffer.from(bytes)
  }

  #take(bytes: Buffer): number {
    if (this.#left > 0) {
      const content = bytes.subarray(0, this.#left)
      this.#left -= content.length
      if (this.#meta) this.#meta.chunks.push(Buffer.from(content))
      else this.#listener.onData(content)
      if (this.#left === 0 && this.#meta) this.#readMeta()
      return content.length
    }
    if (this.#padding > 0) {
      const taken = Math.min(this.#padding, bytes.length)
      this.#padding -= taken
      return taken
    }
    if (bytes.length < blockBytes) return 0
    this.#readHeader(bytes.subarray(0, blockBytes))
    return blockBytes
  }

  #readHeader(block: Buffer): void {
    if (block.every((byte) => byte === 0)) {
      this.#ended = true
      return
    }
    const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
    if (sum !== numberAt(block, 148, 8)) throw bad('a header is damaged')
    const type = String.fromCharCode(block[156] ?? 0)
    const size = Number(this.#next.get('size') ?? numberAt(block, 124, 12))
    if (!Number.isSafeInteger(size) || size < 0) throw bad('an entry has no size')
    // Only files have content, whatever the size says.
    const kind = kinds[type] ?? 'other'
    this.#left = kind === 'file' || kind === 'other' ? size : 0
    this.#padding = (blockBytes - (this.#left % blockBytes)) % blockBytes
    if (['x', 'g', 'L', 'K'].includes(type)) {
      if (size > metaBytes) throw bad('a name is too long')
      this.#meta = { type, chunks: [] }
      if (size === 0) this.#readMeta()
      return
    }
    const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textAt(block, 345, 155) : ''
    const name = textAt(block, 0, 100)
    const path = this.#next.get('path') ?? (prefix === '' ? name : `${prefix}/${name}`)
    const target = this.#next.get('linkpath') ?? textAt(block, 157, 100)
    this.#next = new Map()
    const mode = numberAt(block, 100, 8) & 0o777
    this.#listener.onEntry({ path: path.replace(/(?<=.)\/+$/, ''), kind, mode, size: this.#left, target })
  }

  /** What is told of the next entry. */
  #readMeta(): void {
    const { type, chunks } = this.#meta ?? { type: '', chunks: [] }
    this.#meta = undefined
    const content = Buffer.concat(chunks)
    if (type === 'L') this.#next.set('path', textAt(content, 0, content.length))
    if (type === 'K') this.#next.set('linkpath', textAt(content, 0, content.length))
    if (type === 'x') for (const [key, value] of recordsOf(content)) this.#next.set(key, value)
  }
}

/** `LENGTH KEY=VALUE\n`, one after the other; the length counts all of it. */
function* recordsOf(content: Buffer): Generator<[string, string]> {
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(' ', at)
    const length = Number(content.toString('latin1', at, space))
    const equals = content.indexOf('=', space)
    const end = at + length
    if (space < 0 || !(length > 0) || end > content.length || equals < 0 || equals >= end) {
      throw bad('an extended header is damaged')
    }
    yield [content.toString('utf8', space + 1, equals), content.toString('utf8', equals + 1, end - 1)]
    at = end
  }
}

function textAt(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

/** Octal digits; or, of GNU, a binary number whose first bit is set. */
function numberAt(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length)
  if ((field[0] ?? 0) & 0x80) {
    return field.subarray(1).reduce((total, byte) => total * 256 + byte, (field[0] ?? 0) & 0x7f)
  }
  const digits = textAt(block, at, length).trim()
  if (!/^[0-7]*$/.test(digits)) throw bad('a number is damaged')
  return Number.parseInt(digits || '0', 8)
}

function bad(why: string): InterceptError {
  return new InterceptError('bad-archive', `this is no archive of tar: ${why}`)
}
