import type { ServerHttp2Stream } from 'node:http2'
import { noDate } from './http2-headers.ts'

/** gRPC's UNAVAILABLE: clients may try again. */
const unavailable = '14'

/**
 * Answers a request that no upstream took, or whose upstream was lost before it answered: 502 with the reason, or
 * for gRPC its status UNAVAILABLE, as an answer that is trailers only.
 */
export function answerUnavailable(stream: ServerHttp2Stream, request: Unanswered): void {
  if (stream.closed || stream.destroyed) return
  const { contentType, isHead, reason } = request
  if (contentType.startsWith('application/grpc')) {
    const status = { 'grpc-status': unavailable, 'grpc-message': grpcMessage(reason) }
    stream.respond({ ':status': 200, 'content-type': contentType, ...status }, { ...noDate, endStream: true })
  } else {
    stream.respond({ ':status': 502, 'content-type': 'text/plain; charset=utf-8' }, { ...noDate, endStream: isHead })
    if (!isHead) stream.end(`${reason}\n`)
  }
  stopReading(stream)
}

export interface Unanswered {
  /** Of the request; '' if none. */
  readonly contentType: string
  readonly isHead: boolean
  readonly reason: string
}

/** The answer is whole: what the client still sends of its request, nobody needs (RFC 9113 8.1). */
export function stopReading(stream: ServerHttp2Stream): void {
  const close = () => {
    if (!stream.readableEnded) stream.close()
  }
  if (stream.writableFinished) close()
  else stream.once('finish', close)
}

/** Percent-encoded as gRPC wants it: printable ASCII but '%' stands for itself. */
function grpcMessage(text: string): string {
  let encoded = ''
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}
