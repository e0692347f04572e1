import { isTokenByte, isValueByte } from './characters.ts'
import { MessageError } from './message-error.ts'

const cr = 0x0d
const lf = 0x0a
const colon = 0x3a
const space = 0x20
const tab = 0x09

/** The fields that decide framing and persistence, values as sent; all others only in `raw`. */
export interface Fields {
  /** Name, value, name, value …, in order, as sent; values without the white space around them. */
  readonly raw: string[]
  readonly host: readonly string[]
  readonly contentLength: readonly string[]
  readonly transferEncoding: readonly string[]
  /** Members of all Connection fields, in lower case. */
  readonly connection: readonly string[]
  readonly upgrade: boolean
}

const none: readonly string[] = []

/**
 * Reads field lines (RFC 9112, 5) in one pass, from `at` up to and with the empty line that ends at `end`. `text` is
 * `bytes` in latin1.
 * @throws MessageError at anything that two readers might take for two things
 */
export function parseFields(bytes: Buffer, text: string, from: number, end: number): Fields {
  const raw: string[] = []
  let host = none
  let contentLength = none
  let transferEncoding = none
  let connection = none
  let upgrade = false
  let at = from
  for (;;) {
    if (bytes[at] === cr && bytes[at + 1] === lf) break
    const start = at
    while (isTokenByte[bytes[at] ?? 0] === 1) at += 1
    if (at === start) throw new MessageError(startsFolded(bytes[at]) ? 'a folded field line' : 'a field without a name')
    if (bytes[at] !== colon)
      throw new MessageError('a field name with something that is none, or space before its colon')
    const name = text.slice(start, at)
    at += 1
    while (bytes[at] === space || bytes[at] === tab) at += 1
    const valueStart = at
    while (isValueByte[bytes[at] ?? 0] === 1) at += 1
    let valueEnd = at
    if (bytes[at] !== cr || bytes[at + 1] !== lf) throw new MessageError(`a control character in the field ${name}`)
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === space || bytes[valueEnd - 1] === tab)) valueEnd -= 1
    at += 2
    const value = text.slice(valueStart, valueEnd)
    raw.push(name, value)
    switch (name.length) {
      case 4:
        if (isNamed(name, 'host')) host = [...host, value]
        break
      case 7:
        if (isNamed(name, 'upgrade')) upgrade = true
        break
      case 10:
        if (isNamed(name, 'connection')) connection = [...connection, ...members(value)]
        break
      case 14:
        if (isNamed(name, 'content-length')) contentLength = [...contentLength, value]
        break
      case 17:
        if (isNamed(name, 'transfer-encoding')) transferEncoding = [...transferEncoding, value]
        break
      default:
    }
  }
  if (at + 2 !== end) throw new MessageError('an empty line inside the head')
  return { raw, host, contentLength, transferEncoding, connection, upgrade }
}

const startsFolded = (byte: number | undefined): boolean => byte === space || byte === tab
const isNamed = (name: string, lowerCase: string): boolean => name === lowerCase || name.toLowerCase() === lowerCase
/** Members of a list field, in lower case. */
export const members = (value: string): string[] => value.split(',').map((member) => member.trim().toLowerCase())
