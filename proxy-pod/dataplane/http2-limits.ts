import type { SessionOptions, Settings } from 'node:http2'

/**
 * Limits of one HTTP/2 connection, on either side of us. Beyond them nghttp2 bounds by itself: CONTINUATION frames of
 * one header block (8), resets (1,000 at once, 33 a second after), SETTINGS entries (32); Node bounds unanswered PINGs
 * (10), frames that were invalid (1,000) and streams that were refused (100). Each ends the connection.
 */
export const http2Limits = {
  /** Names and values of one request or answer, with 32 bytes a field. Must fit in 8 CONTINUATION frames. */
  headerBytes: 128 * 1024,
  headerFields: 1_000,
  /** Requests under way on one connection of a client. */
  concurrentStreams: 1_000,
  /** What a peer may send of one stream before we have passed it on. */
  streamWindowBytes: 256 * 1024,
  /** Likewise for all streams of a connection. */
  connectionWindowBytes: 2 * 1024 * 1024,
  /** What Node may hold for one connection: headers, and frames that the peer does not read. Megabytes. */
  sessionMemoryMB: 32,
  /** Body that was sent and is kept to be sent again, where the upstream refuses the stream unprocessed. */
  keptBodyBytes: 64 * 1024,
  /** Of one request, what a mirror has not taken; then its copy is dropped. */
  mirrorUnsentBytes: 256 * 1024,
} as const

export const http2Settings: Settings = {
  maxHeaderListSize: http2Limits.headerBytes,
  initialWindowSize: http2Limits.streamWindowBytes,
  enablePush: false,
}

export const http2Options: SessionOptions = {
  maxHeaderListPairs: http2Limits.headerFields,
  maxSendHeaderBlockLength: 2 * http2Limits.headerBytes,
  maxSessionMemory: http2Limits.sessionMemoryMB,
}
