import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePacket } from '../../../../../cli/outbound/twin/keeper/ip-packet.ts'

/** An IPv4 packet with `options` words of options. */
function packet(protocol: number, body: Buffer, options = 0): Buffer {
  const head = Buffer.alloc(20 + 4 * options)
  head[0] = 0x40 | (5 + options)
  head.writeUInt16BE(head.length + body.length, 2)
  head[9] = protocol
  Buffer.from([192, 0, 2, 1]).copy(head, 12)
  Buffer.from([10, 96, 0, 7]).copy(head, 16)
  return Buffer.concat([head, body])
}

function datagram(payload: string, length = 8 + payload.length): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(40_000, 0)
  head.writeUInt16BE(53, 2)
  head.writeUInt16BE(length, 4)
  return Buffer.concat([head, Buffer.from(payload)])
}

test('a datagram: both ends and what it carries, also behind options and before padding', () => {
  for (const bytes of [packet(17, datagram('hello')), packet(17, datagram('hello'), 3)]) {
    expect(parsePacket(Buffer.concat([bytes, Buffer.alloc(4)]))).toEqual({
      protocol: 'udp',
      from: { address: '192.0.2.1', port: 40_000 },
      to: { address: '10.96.0.7', port: 53 },
      payload: Buffer.from('hello'),
    })
  }
})

test('a segment: both ends', () => {
  const segment = Buffer.alloc(20)
  segment.writeUInt16BE(40_001, 0)
  segment.writeUInt16BE(8080, 2)
  expect(parsePacket(packet(6, segment))).toMatchObject({ protocol: 'tcp', from: { port: 40_001 }, to: { port: 8080 } })
})

test.each([
  ['nothing', Buffer.alloc(0)],
  ['IPv6', Buffer.concat([Buffer.from([0x60]), Buffer.alloc(60)])],
  ['another protocol', packet(1, Buffer.alloc(20))],
  ['a datagram that is cut', packet(17, datagram('hello', 100))],
  ['a length below its own head', packet(17, datagram('hello', 7))],
  ['a head that is too short', packet(17, datagram('hello')).subarray(0, 24)],
])('%s is none', (_name, bytes) => {
  expect(parsePacket(bytes)).toBeUndefined()
})

test('never throws', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void parsePacket(Buffer.from(bytes))))
})
