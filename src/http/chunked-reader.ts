import type { BodyReader } from './body-reader.ts'
import { isTokenByte, isValueByte } from './characters.ts'
import { httpLimits } from './limits.ts'
import { MessageError } from './message-error.ts'

const cr = 0x0d
const lf = 0x0a
const space = 0x20
const tab = 0x09
const semicolon = 0x3b
const colon = 0x3a
/** Digits of a chunk's size: more than any body has, and exact as a number. */
const maxSizeDigits = 12

/** Where in a chunked body (RFC 9112, 7.1) the next byte stands. */
type Place =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer-start'
  | 'trailer-name'
  | 'trailer-value'
  | 'trailer-lf'
  | 'last-lf'
  | 'done'

/** Fields that would say something about framing or routing after it was decided (RFC 9110, 6.5.1). */
const neverTrailers: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'host',
  'connection',
  'trailer',
  'te',
  'upgrade',
])

/** Follows chunks and trailers byte by byte, but for the data. Refuses what readers are known to disagree about. */
export class ChunkedReader implements BodyReader {
  #place: Place = 'size'
  #size = 0
  #digits = 0
  /** Bytes of the chunk's line, or of all trailers. */
  #lineBytes = 0
  #name = ''
  readonly #allowsPadding: boolean

  /** @param allowsPadding blanks may follow a chunk's size, as some servers write it. Of requests: never. */
  constructor(allowsPadding: boolean) {
    this.#allowsPadding = allowsPadding
  }

  get isDone(): boolean {
    return this.#place === 'done'
  }

  take(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && this.#place !== 'done') {
      if (this.#place === 'data') {
        const taken = Math.min(this.#size, bytes.length - at)
        this.#size -= taken
        at += taken
        if (this.#size === 0) this.#place = 'data-cr'
        continue
      }
      this.#place = this.#next(bytes[at] ?? 0, this.#place)
      at += 1
    }
    return at
  }

  #next(byte: number, place: Exclude<Place, 'data' | 'done'>): Place {
    switch (place) {
      case 'size':
        return this.#sizeByte(byte)
      case 'extension':
        if (byte === cr) return 'size-lf'
        if (isValueByte[byte] !== 1) throw new MessageError('a control character in a chunk extension')
        this.#count(httpLimits.chunkLineBytes, 'a chunk extension')
        return 'extension'
      case 'size-lf':
        expectLf(byte)
        this.#lineBytes = 0
        this.#digits = 0
        return this.#size === 0 ? 'trailer-start' : 'data'
      case 'data-cr':
        if (byte !== cr) throw new MessageError('a chunk longer than its size')
        return 'data-lf'
      case 'data-lf':
        expectLf(byte)
        return 'size'
      case 'trailer-start':
        if (byte === cr) return 'last-lf'
        this.#name = ''
        return this.#trailerName(byte)
      case 'trailer-name':
        return this.#trailerName(byte)
      case 'trailer-value':
        if (byte === cr) return 'trailer-lf'
        if (isValueByte[byte] !== 1) throw new MessageError('a control character in a trailer')
        this.#count(httpLimits.trailerBytes, 'trailers')
        return 'trailer-value'
      case 'trailer-lf':
        expectLf(byte)
        return 'trailer-start'
      case 'last-lf':
        expectLf(byte)
        return 'done'
      default:
        return place satisfies never
    }
  }

  #sizeByte(byte: number): Place {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      this.#digits += 1
      if (this.#digits > maxSizeDigits) throw new MessageError('a chunk size with too many digits')
      this.#size = this.#digits === 1 ? digit : this.#size * 16 + digit
      return 'size'
    }
    if (this.#digits === 0) throw new MessageError('a chunk without a size')
    if (byte === cr) return 'size-lf'
    if (byte === semicolon || (this.#allowsPadding && (byte === space || byte === tab))) return 'extension'
    throw new MessageError('a chunk size that is no hexadecimal number')
  }

  #trailerName(byte: number): Place {
    this.#count(httpLimits.trailerBytes, 'trailers')
    if (isTokenByte[byte] === 1) {
      this.#name += String.fromCharCode(byte)
      return 'trailer-name'
    }
    if (byte !== colon || this.#name === '') throw new MessageError('a trailer without a name')
    const name = this.#name.toLowerCase()
    if (neverTrailers.has(name)) throw new MessageError(`${name} as a trailer`)
    return 'trailer-value'
  }

  #count(limit: number, what: string): void {
    this.#lineBytes += 1
    if (this.#lineBytes > limit) throw new MessageError(`${what} of more than ${limit} bytes`, 431)
  }
}

function expectLf(byte: number): void {
  if (byte !== lf) throw new MessageError('bare CR in a chunked body')
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
