import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writtenAddress } from '../../../../../cli/outbound/twin/keeper/written-address.ts'

test.each([
  ['7f000001', '127.0.0.1'],
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['00000000000000000000ffff0a000005', '10.0.0.5'],
  ['fd000000000000000000000000000005', 'fd00::5'],
])('%s is written %s', (hexadecimal, text) => {
  expect(writtenAddress(Buffer.from(hexadecimal, 'hex'))).toBe(text)
})

test('every address of IPv6 has one spelling, which is read as that address', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const text = writtenAddress(Buffer.from(bytes))
      // What ends in an address of IPv4 is written so, or not, as one likes.
      fc.pre(!text.includes('.'))
      // The URL of WHATWG writes addresses by an algorithm of its own.
      const groups = Array.from({ length: 8 }, (_, index) =>
        Buffer.from(bytes)
          .readUInt16BE(2 * index)
          .toString(16),
      )
      expect(`[${text}]`).toBe(new URL(`http://[${groups.join(':')}]`).hostname)
    }),
  )
})
