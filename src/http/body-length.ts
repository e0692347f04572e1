import { type Fields, members } from './fields.ts'
import { MessageError } from './message-error.ts'

/** How a body's end is found (RFC 9112, 6.3): after so many bytes, by its chunks, or with the connection. */
export type BodyLength = number | 'chunked' | 'until-close'

/** @throws MessageError where more than one reading is possible */
export function requestBodyLength(fields: Fields, isHttp10: boolean): number | 'chunked' {
  const { contentLength, transferEncoding } = fields
  if (transferEncoding.length > 0) {
    if (contentLength.length > 0) throw new MessageError('both Content-Length and Transfer-Encoding')
    if (isHttp10) throw new MessageError('Transfer-Encoding in HTTP/1.0')
    if (transferEncoding.length > 1) throw new MessageError('two Transfer-Encodings')
    const codings = members(transferEncoding[0] ?? '')
    if (codings.length === 1 && codings[0] === 'chunked') return 'chunked'
    // Chunked that is not last, or is there twice, or an empty coding.
    if (codings.slice(0, -1).includes('chunked') || codings.includes(''))
      throw new MessageError('a Transfer-Encoding that is not one final chunked')
    throw new MessageError('a transfer coding other than chunked', 501)
  }
  if (contentLength.length > 1) throw new MessageError('two Content-Lengths')
  return contentLength[0] === undefined ? 0 : parseLength(contentLength[0])
}

/** @throws MessageError */
export function responseBodyLength(fields: Fields, isHttp10: boolean): BodyLength {
  const { contentLength, transferEncoding } = fields
  if (transferEncoding.length > 0) {
    if (contentLength.length > 0) throw new MessageError('both Content-Length and Transfer-Encoding')
    if (isHttp10) throw new MessageError('Transfer-Encoding in HTTP/1.0')
    const codings = transferEncoding.flatMap(members)
    if (codings.slice(0, -1).includes('chunked')) throw new MessageError('chunked that is not the last transfer coding')
    return codings.at(-1) === 'chunked' ? 'chunked' : 'until-close'
  }
  const [length] = contentLength
  if (length === undefined) return 'until-close'
  // Servers that repeat one are in use; the client is shown what they sent.
  if (contentLength.some((other) => other !== length)) throw new MessageError('two Content-Lengths that differ')
  return parseLength(length)
}

function parseLength(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new MessageError('a Content-Length that is no number')
  return Number(value)
}
