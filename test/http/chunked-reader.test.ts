import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChunkedReader } from '../../src/http/chunked-reader.ts'
import { MessageError } from '../../src/http/message-error.ts'

const extension = fc.constantFrom('', ';a', ';a=b', ';a="b c"')
const chunk = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), extension)
const trailer = fc.constantFrom('X-Sum: 1\r\n', 'grpc-status:0\r\n', 'Empty:\r\n')

test('a body ends where it ends, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(chunk), fc.array(trailer), fc.integer({ min: 1, max: 50 }), (chunks, trailers, size) => {
      const body = Buffer.concat([
        ...chunks.flatMap(([data, text]) => [
          Buffer.from(`${data.length.toString(16)}${text}\r\n`),
          data,
          Buffer.from('\r\n'),
        ]),
        Buffer.from(`0\r\n${trailers.join('')}\r\n`),
      ])
      const all = Buffer.concat([body, Buffer.from('GET ')])
      const reader = new ChunkedReader(false)
      let taken = 0
      while (!reader.isDone) taken += reader.take(all.subarray(taken, taken + size))
      expect(taken).toBe(body.length)
      expect(reader.take(all.subarray(taken))).toBe(0)
    }),
  )
})

test('whatever comes, it is either followed or refused', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('0', '1', 'a', ';', '\r', '\n', ':', ' ', '\0'), maxLength: 40 }),
      (text) => {
        const bytes = Buffer.from(text, 'latin1')
        const whole = outcome([bytes])
        expect(outcome([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole)
      },
    ),
    { numRuns: 1000 },
  )
})

test('blanks after a size are a server’s habit, and refused of a client', () => {
  const body = Buffer.from('3  \r\nabc\r\n0 \r\n\r\n')
  const reader = new ChunkedReader(true)
  expect(reader.take(body)).toBe(body.length)
  expect(reader.isDone).toBe(true)
  expect(() => new ChunkedReader(false).take(body)).toThrow(MessageError)
})

/** Bytes that the body has, or 'refused'. */
function outcome(pieces: readonly Buffer[]): number | 'refused' {
  const reader = new ChunkedReader(false)
  let taken = 0
  try {
    for (const piece of pieces) taken += reader.take(piece)
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return 'refused'
  }
  return taken
}
