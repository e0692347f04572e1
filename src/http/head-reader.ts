import { httpLimits } from './limits.ts'
import { MessageError } from './message-error.ts'

const cr = 0x0d
const lf = 0x0a
const endOfHead = Buffer.from('\r\n\r\n')
const firstHold = 1024

/** A head that has arrived whole, and how many bytes of the last chunk belong to it. */
export interface WholeHead {
  /** As sent, with the empty line. */
  readonly bytes: Buffer
  readonly taken: number
}

/**
 * Collects a message's head. One that comes in one chunk is not copied. Bytes that can be in no head are refused as
 * soon as they are there: a sender that ends lines in bare LF would wait for ever.
 */
export class HeadReader {
  #held: Buffer | undefined
  #length = 0

  /** True where nothing of a head has arrived. */
  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** @returns undefined while the end has not come; then all of the chunk is held. @throws MessageError */
  read(chunk: Buffer): WholeHead | undefined {
    if (this.#length === 0) {
      const end = chunk.indexOf(endOfHead)
      if (end >= 0) {
        if (end + 4 > httpLimits.headBytes) throw tooLarge()
        return { bytes: end + 4 === chunk.length ? chunk : chunk.subarray(0, end + 4), taken: end + 4 }
      }
    }
    const before = this.#length
    const held = this.#hold(chunk.subarray(0, httpLimits.headBytes - before + 1))
    const end = held.indexOf(endOfHead, Math.max(0, before - 3))
    if (end < 0) {
      if (this.#length > httpLimits.headBytes) throw tooLarge()
      refuseEarly(held, before)
      return undefined
    }
    if (end + 4 > httpLimits.headBytes) throw tooLarge()
    this.#held = undefined
    this.#length = 0
    return { bytes: held.subarray(0, end + 4), taken: end + 4 - before }
  }

  #hold(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length
    let held = this.#held
    if (!held || held.length < length) {
      const larger = Buffer.allocUnsafe(Math.max(firstHold, length, 2 * this.#length))
      held?.copy(larger, 0, 0, this.#length)
      held = larger
      this.#held = larger
    }
    chunk.copy(held, this.#length)
    this.#length = length
    return held.subarray(0, length)
  }
}

function refuseEarly(held: Buffer, from: number): void {
  for (let at = from; at < held.length; at += 1) {
    const byte = held[at]
    if (byte === 0) throw new MessageError('NUL in the head')
    if (byte === lf && held[at - 1] !== cr) throw new MessageError('a line that ends in bare LF')
    if (byte !== lf && at > 0 && held[at - 1] === cr) throw new MessageError('bare CR in the head')
  }
}

const tooLarge = (): MessageError => new MessageError(`a head of more than ${httpLimits.headBytes} bytes`, 431)
