/** What stands at fixed places of every DNS message (RFC 1035, 4.1.1). */
export const headerBytes = 12

const responseBit = 0x8000
const truncatedBit = 0x0200

/** Undefined where the message is too short to have one. */
export const idOf = (message: Buffer): number | undefined =>
  message.length < headerBytes ? undefined : message.readUInt16BE(0)

/** The same message with another ID. A copy. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(id, 0)
  return copy
}

const flagsOf = (message: Buffer): number => message.readUInt16BE(2)

/** Messages that are too short are neither a query nor an answer. */
export const isAnswer = (message: Buffer): boolean =>
  message.length >= headerBytes && (flagsOf(message) & responseBit) !== 0

export const isQuery = (message: Buffer): boolean =>
  message.length >= headerBytes && (flagsOf(message) & responseBit) === 0

export const isTruncated = (message: Buffer): boolean =>
  message.length >= headerBytes && (flagsOf(message) & truncatedBit) !== 0
