import fc from 'fast-check'
import { expect, it } from 'vitest'
import { framed, MessageReader } from '../../src/dns/framing.ts'

it('finds the messages again, however the stream is cut', () => {
  const message = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (messages, cuts) => {
      const stream = Buffer.concat(messages.map((one) => framed(Buffer.from(one))))
      const reader = new MessageReader()
      const found: Buffer[] = []
      for (let at = 0, cut = 0; at < stream.length; cut += 1) {
        const bytes = cuts[cut % cuts.length] ?? 1
        found.push(...reader.read(stream.subarray(at, at + bytes)))
        at += bytes
      }
      expect(found.map((one) => [...one])).toEqual(messages.map((one) => [...one]))
    }),
  )
})
