import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TunnelError } from '../../src/tunnel/error.ts'
import {
  ackNow,
  dataPacketHeaderBytes,
  encodeAbort,
  encodeAck,
  encodeToken,
  PacketType,
  readAbort,
  readAcked,
  readAckNow,
  readPacketType,
  readPosition,
  readToken,
  writeDataHeader,
} from '../../src/tunnel/packet.ts'

const position = fc.integer({ min: 0, max: 2 ** 45 - 1 })

describe('packets', () => {
  it('carry positions beyond 32 bits', () => {
    fc.assert(
      fc.property(position, position, fc.boolean(), (at, acked, soon) => {
        const packet = Buffer.alloc(dataPacketHeaderBytes + 1)
        writeDataHeader(packet, at, acked, soon ? ackNow : 0)
        expect([readPacketType(packet), readAcked(packet), readAckNow(packet)]).toEqual([PacketType.Data, acked, soon])
        expect(readPosition(packet)).toBe(at)
        expect([readPacketType(encodeAck(acked)), readAcked(encodeAck(acked))]).toEqual([PacketType.Ack, acked])
      }),
    )
  })

  it('bring a ping’s token back', () => {
    const ping = encodeToken(PacketType.Ping, 7, 1234.5678)
    expect([readPacketType(ping), readAcked(ping)]).toEqual([PacketType.Ping, 7])
    expect(readToken(ping)).toBe(1234.5678)
  })

  it('say why a session was given up', () => {
    const error = readAbort(encodeAbort(0, 'no-credit', 'too much on stream 3'))
    expect(error).toMatchObject({ code: 'no-credit' })
    expect(error.message).toContain('too much on stream 3')
    expect(readAbort(Buffer.from([5, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]))).toMatchObject({ code: 'aborted' })
  })

  it('are read or refused with a code, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          readPacketType(Buffer.from(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(TunnelError)
          expect((error as TunnelError).code).toBe('bad-packet')
        }
      }),
    )
  })
})
