import { type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2'
import type { RequestHead } from '../../src/match/request.ts'

// nghttp2 drops a field whose value has CR, LF, NUL or another control character, and tells Node nothing of it (RFC 9113
// 8.2.1 would have the request refused). Such a field reaches no match and no upstream; the rest of the request does.

/** What Node gives for a header block beside the raw pairs: values by name, and the names that are never indexed. */
export interface ReceivedHeaders {
  readonly [name: string]: string | string[] | undefined
  readonly [sensitiveHeaders]?: string[]
}

/** A header block, as it came. */
export interface RawBlock {
  /** Name, value, name, value … */
  readonly raw: readonly string[]
  readonly received: ReceivedHeaders
}

/** For `respond`: an answer is passed on as it came, without a Date of ours. */
export const noDate = { sendDate: false } as const

/** What a match looks at. A CONNECT without `:protocol` has no path; its target is its authority, as in HTTP/1.1. */
export function requestHeadOf(raw: readonly string[]): RequestHead {
  const rawHeaders: string[] = []
  const pseudo: Record<string, string> = {}
  let host = ''
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    if (name.startsWith(':')) pseudo[name] = value
    else {
      rawHeaders.push(name, value)
      if (name === 'host') host = value
    }
  }
  const authority = pseudo[':authority'] ?? host
  return { method: pseudo[':method'] ?? '', target: pseudo[':path'] ?? authority, authority, rawHeaders }
}

/**
 * A received header block, to be sent on: names in the order of their first field, each value as a field of its own.
 * Node takes some names (`content-type`, `etag`, …) only once: their values are joined by commas, as RFC 9110 5.3 allows.
 */
export function passOn(raw: readonly string[], received: ReceivedHeaders): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders & { [sensitiveHeaders]?: string[] } = Object.create(null)
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (singleFields.has(name)) headers[name] = `${before}, ${value}`
    else if (Array.isArray(before)) before.push(value)
    else headers[name] = [String(before), value]
  }
  const sensitive = received[sensitiveHeaders]
  if (sensitive?.length) headers[sensitiveHeaders] = sensitive
  return headers
}

/** What Node refuses to send twice. */
const singleFields: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
])
