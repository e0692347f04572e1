import type { RequestHead } from '../match/request.ts'
import { requestBodyLength } from './body-length.ts'
import { isTargetByte, isTokenByte } from './characters.ts'
import { type Fields, parseFields } from './fields.ts'
import { MessageError } from './message-error.ts'

export interface RequestMessage extends RequestHead {
  readonly body: number | 'chunked'
  /** No request follows on the connection. */
  readonly isLast: boolean
  /** It asks to go on with another protocol. */
  readonly asksUpgrade: boolean
}

const space = 0x20
const cr = 0x0d
const lf = 0x0a

/**
 * Reads a request's head (RFC 9112, 3 to 6), all of `bytes`, in one pass and strictly.
 * @param bytes from the request line to the empty line, with it
 * @throws MessageError
 */
export function parseRequest(bytes: Buffer): RequestMessage {
  const text = bytes.toString('latin1', 0, bytes.length)
  let at = 0
  while (isTokenByte[bytes[at] ?? 0] === 1) at += 1
  if (at === 0 || bytes[at] !== space) throw new MessageError('a request line that does not begin with a method')
  const method = text.slice(0, at)
  const targetStart = at + 1
  at = targetStart
  while (isTargetByte[bytes[at] ?? 0] === 1) at += 1
  const target = text.slice(targetStart, at)
  const minor = versionAt(text, at)
  if (bytes[at + 9] !== cr || bytes[at + 10] !== lf) throw new MessageError('something after the version')
  const isHttp10 = minor === 0
  const fields = parseFields(bytes, text, at + 11, bytes.length)
  const body = requestBodyLength(fields, isHttp10)
  if (method === 'CONNECT' && fields.contentLength.length + fields.transferEncoding.length > 0)
    throw new MessageError('CONNECT with a body')
  const { connection } = fields
  return {
    method,
    target,
    authority: authorityOf(method, target, fields, isHttp10),
    rawHeaders: fields.raw,
    body,
    isLast: isHttp10 ? !connection.includes('keep-alive') : connection.includes('close'),
    asksUpgrade: fields.upgrade && !isHttp10,
  }
}

function versionAt(text: string, at: number): 0 | 1 {
  if (text.startsWith(' HTTP/1.1', at)) return 1
  if (text.startsWith(' HTTP/1.0', at)) return 0
  if (/^ HTTP\/\d\.\d\r/.test(text.slice(at, at + 10))) throw new MessageError('not HTTP/1.0 or 1.1', 505)
  throw new MessageError('a request line that is not METHOD TARGET HTTP/1.1')
}

function authorityOf(method: string, target: string, { host }: Fields, isHttp10: boolean): string {
  if (host.length > 1) throw new MessageError('two Host fields')
  const [value] = host
  if (value === undefined && !isHttp10) throw new MessageError('no Host')
  if (value !== undefined && /[^!$&'()*+.:;=[\]_~%0-9A-Za-z-]/.test(value))
    throw new MessageError('a Host that is none')
  if (target.startsWith('/') || (target === '*' && method === 'OPTIONS')) {
    if (method === 'CONNECT') throw new MessageError('CONNECT to something that is no host')
    return value ?? ''
  }
  const named =
    method === 'CONNECT' ? /^([^/?#@]+:\d+)$/.exec(target) : /^[a-z][a-z0-9+.-]*:\/\/([^/?#@]*)/i.exec(target)
  const authority = named?.[1]
  if (authority === undefined) throw new MessageError('a request target that is none')
  // One of two might be believed by whom we ask.
  if (method !== 'CONNECT' && value !== undefined && comparable(value) !== comparable(authority))
    throw new MessageError('a Host that is not the target’s')
  return authority
}

const comparable = (authority: string): string => authority.toLowerCase().replace(/:80$/, '')
