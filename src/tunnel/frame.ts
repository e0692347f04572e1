/**
 * What a frame does to its stream. Wire values; never renumber.
 * On the wire: type (1 byte), payload length (3), stream (4), payload. Big-endian.
 * Liveness and acknowledgement are not here but in packet.ts: they belong to a carrier and are never replayed.
 */
export const FrameType = {
  /** Opens a stream. Payload: the header, JSON. */
  Open: 1,
  /** The acceptor took the stream: what was sent so far counts as delivered to it. */
  Accept: 2,
  /** Nothing of the stream was delivered. Payload: JSON {code, message}. */
  Refuse: 3,
  /** Bytes, counted against the receiver's credit. */
  Data: 4,
  /** More credit. Payload: 4 bytes, how much. */
  Credit: 5,
  /** No more DATA in this direction. */
  Fin: 6,
  /** Both directions are dead; what was under way is dropped. Payload: the code. */
  Reset: 7,
  /** One datagram, outside credit. */
  Datagram: 8,
  /** Stream 0. No new streams ('drain'), or the end of all ('now'). Payload: JSON {how, reason}. */
  GoAway: 9,
} as const

export type FrameType = (typeof FrameType)[keyof typeof FrameType]

export const frameHeaderBytes = 8

/** Writes a frame's header at `offset`. */
export function writeFrameHeader(
  into: Buffer,
  offset: number,
  type: FrameType,
  stream: number,
  payloadBytes: number,
): void {
  into[offset] = type
  into[offset + 1] = payloadBytes >>> 16
  into[offset + 2] = payloadBytes >>> 8
  into[offset + 3] = payloadBytes
  into[offset + 4] = stream >>> 24
  into[offset + 5] = stream >>> 16
  into[offset + 6] = stream >>> 8
  into[offset + 7] = stream
}

/** A whole frame in a buffer of its own; for the frames that are not hot. */
export function encodeFrame(type: FrameType, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length)
  writeFrameHeader(frame, 0, type, stream, payload.length)
  payload.copy(frame, frameHeaderBytes)
  return frame
}
