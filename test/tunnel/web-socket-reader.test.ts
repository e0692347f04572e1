import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/tunnel/error.ts'
import { maxMessageBytes } from '../../src/tunnel/limits.ts'
import { webSocketHeaderBytes, writeWebSocketHeader } from '../../src/tunnel/web-socket-frame.ts'
import { WebSocketReader } from '../../src/tunnel/web-socket-reader.ts'
import { bytesFrom, split } from './support/bytes.ts'

type Item = { readonly control: boolean; readonly payload: Buffer }

const item: fc.Arbitrary<Item> = fc.oneof(
  fc.record({
    control: fc.constant(false),
    payload: fc.oneof(fc.nat(300), fc.constantFrom(125, 126, 65_535, 65_536)).map((size) => bytesFrom(size, 0, size)),
  }),
  fc.record({ control: fc.constant(true), payload: fc.nat(125).map((size) => bytesFrom(size, 7, size)) }),
)

function encode({ control, payload }: Item, masked: boolean, key: number): Buffer {
  const header = Buffer.alloc(webSocketHeaderBytes(payload.length, masked))
  writeWebSocketHeader(header, payload.length, masked)
  if (control) header[0] = 0x89
  const body = Buffer.from(payload)
  if (masked) {
    header.writeUInt32BE(key, header.length - 4)
    const bytes = header.subarray(header.length - 4)
    for (let index = 0; index < body.length; index += 1) body[index] = (body[index] ?? 0) ^ (bytes[index & 3] ?? 0)
  }
  return Buffer.concat([header, body])
}

/** What is seen stays as it was delivered: views on memory that nobody may write to again. */
function read(masked: boolean) {
  const seen: Item[] = []
  const reader = new WebSocketReader(masked, {
    onMessage: (message) => seen.push({ control: false, payload: message }),
    onControl: (frame) => seen.push({ control: true, payload: frame }),
  })
  return { seen, reader }
}

/** As a socket does that reads into the reader's memory, at most `most` bytes at once. */
function fill(reader: WebSocketReader, bytes: Buffer, most: number): void {
  for (let at = 0; at < bytes.length; ) {
    const room = reader.room()
    expect(room.length).toBeGreaterThan(0)
    const copied = bytes.copy(room, 0, at, Math.min(at + most, bytes.length))
    reader.filled(copied)
    at += copied
  }
}

describe('WebSocketReader', () => {
  it.each([true, false])('finds messages and control frames, however the bytes are cut (masked: %s)', (masked) => {
    const key = fc.constantFrom(0, 0x0102_0304, 0xffff_ffff)
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 8 }),
        fc.array(fc.nat(200_000), { maxLength: 20 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        key,
        (items, cuts, fed, mask) => {
          const { seen, reader } = read(masked)
          const frames = items.map((one) => encode(one, masked, mask))
          split(Buffer.concat(frames), cuts).forEach((piece, index) => {
            if (fed[index % fed.length]) reader.feed(Buffer.from(piece))
            else fill(reader, piece, 16_384)
          })
          const expected = items.map((one, index) => (one.control ? { control: true, payload: frames[index] } : one))
          expect(seen.length).toBe(expected.length)
          seen.forEach((one, index) => {
            expect(one.control).toBe(expected[index]?.control)
            expect(one.payload.equals(expected[index]?.payload as Buffer)).toBe(true)
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('reads byte by byte', () => {
    const { seen, reader } = read(true)
    for (const byte of encode({ control: false, payload: Buffer.alloc(300, 1) }, true, 5))
      reader.feed(Buffer.from([byte]))
    expect(seen).toEqual([{ control: false, payload: Buffer.alloc(300, 1) }])
  })

  it('has room for all of a big message as soon as it knows its length, and then again', () => {
    const { seen, reader } = read(false)
    const frame = encode({ control: false, payload: bytesFrom(65_528, 1, 65_528) }, false, 0)
    fill(reader, frame, 16_384)
    expect(reader.room().length).toBe(frame.length)
    fill(reader, frame, 16_384)
    expect(seen.map(({ payload }) => payload.equals(frame.subarray(4)))).toEqual([true, true])
  })

  it.each([
    ['text', [0x81, 0x00]],
    ['a fragment', [0x02, 0x01, 0x00]],
    ['a continuation', [0x80, 0x01, 0x00]],
    ['an extension bit', [0xc2, 0x01, 0x00]],
    ['a mask where none may be', [0x82, 0x81, 0, 0, 0, 0, 0]],
    ['a control frame that is too long', [0x89, 0x7e, 0x01, 0x00]],
    ['a message that is too long', [0x82, 0x7f, 0, 0, 0, 0, 0, 0x10, 0, 0]],
    ['a message that is absurdly long', [0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])('refuses %s', (_what, bytes) => {
    const { reader } = read(false)
    expect(() => reader.feed(Buffer.from(bytes))).toThrow(ProtocolError)
  })

  it('reads or refuses any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 }), (pieces) => {
        const { seen, reader } = read(false)
        try {
          for (const piece of pieces) reader.feed(Buffer.from(piece))
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-message' })
        }
        for (const { payload } of seen) expect(payload.length).toBeLessThanOrEqual(maxMessageBytes)
      }),
    )
  })
})
