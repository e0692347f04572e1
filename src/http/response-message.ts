import { type BodyLength, responseBodyLength } from './body-length.ts'
import { isValueByte } from './characters.ts'
import { parseFields } from './fields.ts'
import { MessageError } from './message-error.ts'

export interface ResponseMessage {
  readonly status: number
  readonly body: BodyLength
  /** The connection ends after it. */
  readonly isLast: boolean
  /** 100 to 199, but 101: the final response follows. */
  readonly isInterim: boolean
  /** Both directions are another protocol's from here on: 101, or 2xx to CONNECT. */
  readonly isSwitch: boolean
}

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |\r)/

/**
 * Reads a response's head, all of `bytes`.
 * @param method of the request that it answers
 * @throws MessageError
 */
export function parseResponse(bytes: Buffer, method: string): ResponseMessage {
  const text = bytes.toString('latin1', 0, bytes.length)
  const [, minor, digits] = statusLine.exec(text) ?? []
  if (minor === undefined) throw new MessageError('a status line that is none')
  const lineEnd = text.indexOf('\r\n')
  for (let at = 12; at < lineEnd; at += 1)
    if (isValueByte[bytes[at] ?? 0] !== 1) throw new MessageError('a control character in the status line')
  const fields = parseFields(bytes, text, lineEnd + 2, bytes.length)
  const status = Number(digits)
  const isHttp10 = minor === '0'
  const isInterim = status < 200 && status !== 101
  const isSwitch = status === 101 || (method === 'CONNECT' && status >= 200 && status < 300)
  const isBare = isInterim || isSwitch || method === 'HEAD' || status === 204 || status === 304
  const body = isBare ? 0 : responseBodyLength(fields, isHttp10)
  const { connection } = fields
  const isLast =
    body === 'until-close' || (isHttp10 ? !connection.includes('keep-alive') : connection.includes('close'))
  return { status, body, isLast: isLast && !isInterim, isInterim, isSwitch }
}
