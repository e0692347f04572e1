import fc from 'fast-check'
import { expect, test } from 'vitest'
import { coversAddress, parseOutboundRule } from '../../src/resource/outbound-rule.ts'

const covers = (text: string, host: string, port: number, addresses: string[] = []): boolean =>
  coversAddress(parseOutboundRule(text), { host, port }, addresses)

test.each([
  ['*', '203.0.113.9', 1, true],
  ['*:25', '203.0.113.9', 25, true],
  ['*:25', '203.0.113.9', 26, false],
  ['10.0.0.0/8', '10.255.0.1', 80, true],
  ['10.0.0.0/8', '11.0.0.1', 80, false],
  ['10.1.2.3:5432', '10.1.2.3', 5432, true],
  ['10.1.2.3:5432', '10.1.2.3', 5433, false],
  ['10.1.2.3:8000-8999', '10.1.2.3', 8999, true],
  ['fd00::/8', 'fd12::1', 80, true],
  ['[fd00::/8]:443', 'fd12::1', 443, true],
  ['[fd00::/8]:443', 'fd12::1', 80, false],
  ['fd00::1', 'fd00:0:0::1', 80, true],
  ['10.0.0.0/8', 'fd00::1', 80, false],
  // As the kernel takes it.
  ['10.0.0.0/8', '::ffff:10.0.0.1', 80, true],
  ['10.0.0.0/8', '::ffff:a00:1', 80, true],
  ['::ffff:10.0.0.0/104', '10.0.0.1', 80, true],
  ['::ffff:10.0.0.0/104', '11.0.0.1', 80, false],
  ['::/0', 'fd00::1', 80, true],
  ['::/0', '10.0.0.1', 80, false],
  ['::/0', '::ffff:10.0.0.1', 80, false],
  ['0.0.0.0/0', 'fd00::1', 80, false],
  // Where a gateway leads there.
  ['10.0.0.0/8', '64:ff9b::10.0.0.1', 80, true],
  ['64:ff9b::/96', '64:ff9b::10.0.0.1', 80, true],
  ['fd00::7', 'FD00:0::7', 80, true],
])('%s and %s:%d: %s', (text, host, port, expected) => {
  expect(covers(text, host, port)).toBe(expected)
})

test('a name stands for the addresses that it has', () => {
  expect(covers('db.example.internal:5432', '10.1.1.1', 5432, ['10.1.1.1', 'fd00::1'])).toBe(true)
  expect(covers('db.example.internal', '10.1.1.2', 5432, ['10.1.1.1'])).toBe(false)
  expect(covers('db.example.internal', '10.1.1.1', 5432)).toBe(false)
})

test.each(['', ':80', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0', '1.2.3.4:0', '1.2.3.4:9-8', 'a b', '*:x', '[::1', '-a'])(
  '%j is refused',
  (text) => {
    expect(() => parseOutboundRule(text)).toThrow(expect.objectContaining({ code: 'bad-outbound-rule' }))
  },
)

test('whatever is typed is a rule or refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        expect(parseOutboundRule(text).text).toBe(text)
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad-outbound-rule' })
      }
    }),
  )
})
