import { ProtocolError, TunnelError } from './error.ts'

/**
 * One carrier message of an attached session: flags and type (1 byte), acknowledged position (6), then by type:
 * Data: position of the first byte (6), bytes of the session's stream. Ping, Pong: a token (8). Abort: JSON
 * {code, message}. Positions count the bytes of one direction since the session began. Big-endian.
 */
export const PacketType = {
  Data: 1,
  /** Nothing but the acknowledgement. */
  Ack: 2,
  Ping: 3,
  Pong: 4,
  /** The sender gave the session up. */
  Abort: 5,
} as const

export type PacketType = (typeof PacketType)[keyof typeof PacketType]

/** Flag: the sender wants the acknowledgement now rather than with the next data. */
export const ackNow = 0x80

export const ackPacketBytes = 7
export const dataPacketHeaderBytes = 13
const tokenBytes = 8
const most48 = 0xffff

function write48(into: Buffer, offset: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  into[offset] = high >>> 8
  into[offset + 1] = high
  into.writeUInt32BE(value >>> 0, offset + 2)
}

const read48 = (from: Buffer, offset: number): number =>
  from.readUInt16BE(offset) * 0x1_0000_0000 + from.readUInt32BE(offset + 2)

/** Writes the header of a data packet into the first `dataPacketHeaderBytes` of `into`. */
export function writeDataHeader(into: Buffer, position: number, acked: number, flags: number): void {
  into[0] = PacketType.Data | flags
  write48(into, 1, acked)
  write48(into, 7, position)
}

export function encodeAck(acked: number): Buffer {
  const packet = Buffer.allocUnsafe(ackPacketBytes)
  packet[0] = PacketType.Ack
  write48(packet, 1, acked)
  return packet
}

/** `token` is any number; it comes back in the pong. */
export function encodeToken(
  type: typeof PacketType.Ping | typeof PacketType.Pong,
  acked: number,
  token: number,
): Buffer {
  const packet = Buffer.allocUnsafe(ackPacketBytes + tokenBytes)
  packet[0] = type
  write48(packet, 1, acked)
  packet.writeDoubleBE(token, ackPacketBytes)
  return packet
}

export function encodeAbort(acked: number, code: string, message: string): Buffer {
  const head = Buffer.allocUnsafe(ackPacketBytes)
  head[0] = PacketType.Abort
  write48(head, 1, acked)
  return Buffer.concat([head, Buffer.from(JSON.stringify({ code, message: message.slice(0, 500) }))])
}

/** Throws ProtocolError 'bad-packet' where it is none, or too short for its type. */
export function readPacketType(packet: Buffer): PacketType {
  const type = (packet[0] ?? 0) & ~ackNow
  const least = minimum[type]
  if (least === undefined || packet.length < least || packet.readUInt16BE(1) > most48 >> 3) {
    throw new ProtocolError('bad-packet', `the peer sent a packet of type ${type} with ${packet.length} bytes`)
  }
  return type as PacketType
}

const minimum: Readonly<Record<number, number>> = {
  [PacketType.Data]: dataPacketHeaderBytes + 1,
  [PacketType.Ack]: ackPacketBytes,
  [PacketType.Ping]: ackPacketBytes + tokenBytes,
  [PacketType.Pong]: ackPacketBytes + tokenBytes,
  [PacketType.Abort]: ackPacketBytes,
}

export const readAckNow = (packet: Buffer): boolean => ((packet[0] ?? 0) & ackNow) !== 0
export const readAcked = (packet: Buffer): number => read48(packet, 1)
export const readPosition = (packet: Buffer): number => read48(packet, ackPacketBytes)
export const readToken = (packet: Buffer): number => packet.readDoubleBE(ackPacketBytes)

export function readAbort(packet: Buffer): TunnelError {
  const text = packet.toString('utf8', ackPacketBytes, ackPacketBytes + 1_024)
  const [, code = 'aborted'] = /"code":"([a-z0-9-]{1,64})"/.exec(text) ?? []
  const [, message = 'no reason given'] = /"message":"([^"\\]{0,500})/.exec(text) ?? []
  return new TunnelError(code, `the peer gave the session up: ${message}`)
}
