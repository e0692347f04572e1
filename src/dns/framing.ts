/** DNS messages on a byte stream: each behind its length, two bytes big-endian (RFC 1035, 4.2.2). */

const lengthBytes = 2
/** What the length can say. */
export const maxMessageBytes = 65_535

/** The message behind its length. At most `maxMessageBytes`. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(lengthBytes + message.length)
  frame.writeUInt16BE(message.length, 0)
  message.copy(frame, lengthBytes)
  return frame
}

/** Takes the messages out of the chunks in which they come. Holds less than one message and its length. */
export class MessageReader {
  #held: Buffer = Buffer.alloc(0)

  /** @returns the messages that are complete now, in order; views of what came */
  read(chunk: Buffer): Buffer[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const messages: Buffer[] = []
    while (this.#held.length >= lengthBytes) {
      const end = lengthBytes + this.#held.readUInt16BE(0)
      if (this.#held.length < end) break
      messages.push(this.#held.subarray(lengthBytes, end))
      this.#held = this.#held.subarray(end)
    }
    return messages
  }
}
