import type { BodyLength } from './body-length.ts'
import { ChunkedReader } from './chunked-reader.ts'

/** Follows a body without holding a byte of it. */
export interface BodyReader {
  /** True once its last byte was taken. */
  readonly isDone: boolean
  /** @returns how many of the bytes, from the first, belong to the body. @throws MessageError */
  take(bytes: Buffer): number
}

export function bodyReader(length: BodyLength, of: 'request' | 'response'): BodyReader {
  if (length === 'chunked') return new ChunkedReader(of === 'response')
  return length === 'until-close' ? untilClose : length === 0 ? empty : new LengthReader(length)
}

const empty: BodyReader = { isDone: true, take: () => 0 }
const untilClose: BodyReader = { isDone: false, take: (bytes) => bytes.length }

class LengthReader implements BodyReader {
  #left: number

  constructor(length: number) {
    this.#left = length
  }

  get isDone(): boolean {
    return this.#left === 0
  }

  take(bytes: Buffer): number {
    const taken = Math.min(this.#left, bytes.length)
    this.#left -= taken
    return taken
  }
}
