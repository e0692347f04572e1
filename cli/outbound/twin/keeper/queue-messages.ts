/**
 * Messages of the kernel's packet queue (linux/netfilter/nfnetlink_queue.h) over netlink: its headers and lengths are in
 * the machine's byte order, which is little-endian wherever this runs, what is in attributes in that of the network.
 */

const subsystem = 3
const MessageType = { Packet: 0, Verdict: 1, Config: 2 } as const
const ConfigAttribute = { Command: 1, Params: 2, QueueLength: 3 } as const
const PacketAttribute = { PacketHeader: 1, VerdictHeader: 2, Mark: 3, Payload: 10 } as const
const bindCommand = 1
const copyPacket = 2
const flagRequest = 0x01
const flagAck = 0x04
/** Of an answer to one of our messages. */
const errorType = 2

export const kernelVerdict = { drop: 0, accept: 1 } as const

/** A packet of the queue: its number, for the verdict, and its bytes. */
export interface QueuedPacket {
  readonly id: number
  readonly bytes: Buffer
}

export type QueueMessage =
  | { readonly kind: 'packet'; readonly packet: QueuedPacket }
  /** The answer to the message of that number; errno 0: done. */
  | { readonly kind: 'answer'; readonly sequence: number; readonly errno: number }

/** Gives us the queue. Answered. */
export const bindMessage = (queue: number, sequence: number): Buffer =>
  message(MessageType.Config, queue, sequence, flagRequest | flagAck, [
    attribute(ConfigAttribute.Command, Buffer.from([bindCommand, 0, 0, 2])),
  ])

/** Asks for whole packets, and sets how many may wait. Answered. */
export function settingsMessage(queue: number, sequence: number, most: number): Buffer {
  const params = Buffer.alloc(5)
  params.writeUInt32BE(0xffff)
  params[4] = copyPacket
  return message(MessageType.Config, queue, sequence, flagRequest | flagAck, [
    attribute(ConfigAttribute.Params, params),
    attribute(ConfigAttribute.QueueLength, uint32(most)),
  ])
}

/** @param mark what later rules see on the packet */
export function verdictMessage(queue: number, id: number, verdict: number, mark: number): Buffer {
  return message(MessageType.Verdict, queue, 0, flagRequest, [
    attribute(PacketAttribute.VerdictHeader, Buffer.concat([uint32(verdict), uint32(id)])),
    attribute(PacketAttribute.Mark, uint32(mark)),
  ])
}

/** The messages in what one read gave; unknown ones are passed over. */
export function parseMessages(bytes: Buffer): QueueMessage[] {
  const found: QueueMessage[] = []
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at)
    if (length < 16 || at + length > bytes.length) break
    const type = bytes.readUInt16LE(at + 4)
    if (type === errorType && length >= 20) {
      found.push({
        kind: 'answer',
        sequence: bytes.readUInt32LE(at + 8),
        errno: Math.abs(bytes.readInt32LE(at + 16)),
      })
    } else if (type === ((subsystem << 8) | MessageType.Packet)) {
      const packet = packetOf(bytes.subarray(at + 20, at + length))
      if (packet) found.push({ kind: 'packet', packet })
    }
    at += aligned(length)
  }
  return found
}

function packetOf(attributes: Buffer): QueuedPacket | undefined {
  let id: number | undefined
  let payload: Buffer | undefined
  for (let at = 0; at + 4 <= attributes.length; ) {
    const length = attributes.readUInt16LE(at)
    if (length < 4 || at + length > attributes.length) break
    // The two bits above say how it is encoded.
    const type = attributes.readUInt16LE(at + 2) & 0x3fff
    const value = attributes.subarray(at + 4, at + length)
    if (type === PacketAttribute.PacketHeader && value.length >= 4) id = value.readUInt32BE()
    if (type === PacketAttribute.Payload) payload = value
    at += aligned(length)
  }
  return id === undefined ? undefined : { id, bytes: payload ?? Buffer.alloc(0) }
}

function message(type: number, queue: number, sequence: number, flags: number, attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat(attributes)
  const head = Buffer.alloc(20)
  head.writeUInt32LE(20 + body.length, 0)
  head.writeUInt16LE((subsystem << 8) | type, 4)
  head.writeUInt16LE(flags, 6)
  head.writeUInt32LE(sequence, 8)
  head.writeUInt16BE(queue, 18)
  return Buffer.concat([head, body])
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(aligned(4 + value.length))
  bytes.writeUInt16LE(4 + value.length, 0)
  bytes.writeUInt16LE(type, 2)
  value.copy(bytes, 4)
  return bytes
}

const aligned = (length: number): number => (length + 3) & ~3

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
