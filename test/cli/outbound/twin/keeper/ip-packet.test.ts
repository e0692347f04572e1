import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
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
  ['IPv5', Buffer.concat([Buffer.from([0x50]), Buffer.alloc(60)])],
  ['another protocol', packet(1, Buffer.alloc(20))],
  ['a datagram that is cut', packet(17, datagram('hello', 100))],
  ['a length below its own head', packet(17, datagram('hello', 7))],
  ['a head that is too short', packet(17, datagram('hello')).subarray(0, 24)],
])('%s is none', (_name, bytes) => {
  expect(parsePacket(bytes)).toBeUndefined()
})

/** What may stand between the head of an IPv6 packet and what it carries; `extra` words of 8 bytes longer than the shortest. */
interface Extension {
  readonly type: 0 | 43 | 44 | 60
  readonly extra: number
  /** The bytes 2 to 7: offset of a fragment, segments left. */
  readonly rest?: readonly number[]
}

function packetOfIPv6(protocol: number, body: Buffer, extensions: readonly Extension[] = []): Buffer {
  const next = [...extensions.map(({ type }) => type), protocol]
  const headers = extensions.map(({ type, extra, rest = [] }, index) => {
    const header = Buffer.alloc(type === 44 ? 8 : 8 + 8 * extra)
    header[0] = next[index + 1] ?? 0
    header[1] = type === 44 ? 0 : extra
    Buffer.from(rest).copy(header, 2)
    return header
  })
  const head = Buffer.alloc(40)
  head[0] = 0x60
  head.writeUInt16BE(Buffer.concat([...headers, body]).length, 4)
  head[6] = next[0] ?? 0
  Buffer.from('20010db8000000000000000000000001', 'hex').copy(head, 8)
  Buffer.from('fd001000000000000000000000000007', 'hex').copy(head, 24)
  return Buffer.concat([head, ...headers, body])
}

describe('IPv6', () => {
  const extension = fc.oneof(
    fc.record({ type: fc.constantFrom(0 as const, 43 as const, 60 as const), extra: fc.integer({ min: 0, max: 3 }) }),
    // Whole, in a single fragment.
    fc.record({ type: fc.constant(44 as const), extra: fc.constant(0) }),
  )

  test('a datagram behind whatever extensions, and before padding: both ends and what it carries', () => {
    fc.assert(
      fc.property(fc.array(extension, { maxLength: 5 }), fc.string({ unit: 'binary-ascii' }), (extensions, payload) => {
        const bytes = packetOfIPv6(17, datagram(payload), extensions)
        expect(parsePacket(Buffer.concat([bytes, Buffer.alloc(4)]))).toEqual({
          protocol: 'udp',
          from: { address: '2001:db8::1', port: 40_000 },
          to: { address: 'fd00:1000::7', port: 53 },
          payload: Buffer.from(payload),
        })
      }),
    )
  })

  test('whatever is cut off, nothing is left', () => {
    const whole = packetOfIPv6(17, datagram('hello'), [
      { type: 0, extra: 1 },
      { type: 60, extra: 0 },
    ])
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(parsePacket(whole.subarray(0, length))).toBeUndefined()
      }),
    )
  })

  test('a segment: both ends', () => {
    const segment = Buffer.alloc(20)
    segment.writeUInt16BE(40_001, 0)
    segment.writeUInt16BE(8080, 2)
    expect(parsePacket(packetOfIPv6(6, segment))).toMatchObject({
      protocol: 'tcp',
      from: { port: 40_001 },
      to: { port: 8080 },
    })
  })

  test.each<readonly [string, Buffer]>([
    ['the first of several fragments', packetOfIPv6(17, datagram('hello'), [{ type: 44, extra: 0, rest: [0, 1] }])],
    ['a later fragment', packetOfIPv6(17, datagram('hello'), [{ type: 44, extra: 0, rest: [0, 8] }])],
    ['one whose address is not its last', packetOfIPv6(17, datagram('hello'), [{ type: 43, extra: 2, rest: [4, 1] }])],
    ['another protocol', packetOfIPv6(58, Buffer.alloc(20))],
    ['an extension that is not known', packetOfIPv6(51, datagram('hello'))],
    ['an extension that is longer than the packet', packetOfIPv6(60, Buffer.from([17, 9, 0, 0, 0, 0, 0, 0]))],
    ['a datagram that is cut', packetOfIPv6(17, datagram('hello', 100))],
    ['a length below its own head', packetOfIPv6(17, datagram('hello', 7))],
  ])('%s is none', (_name, bytes) => {
    expect(parsePacket(bytes)).toBeUndefined()
  })
})

test('never throws', () => {
  const version = fc.constantFrom(0x40, 0x45, 0x60)
  fc.assert(
    fc.property(version, fc.uint8Array({ maxLength: 120 }), (first, bytes) => {
      const found = parsePacket(Buffer.from([first, ...bytes]))
      expect(found === undefined || ['tcp', 'udp'].includes(found.protocol)).toBe(true)
    }),
  )
})
