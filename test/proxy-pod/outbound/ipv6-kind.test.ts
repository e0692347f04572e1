import { expect, it } from 'vitest'
import { ipv6KindOf } from '../../../proxy-pod/outbound/ipv6-kind.ts'

const loopback = { family: 'IPv6', address: '::1', internal: true } as const
const own = (...addresses: readonly string[]) => ({
  lo: [loopback],
  eth0: [
    { family: 'IPv4', address: '10.244.0.7', internal: false } as const,
    ...addresses.map((address) => ({ family: 'IPv6', address, internal: false }) as const),
  ],
})

it.each([
  [[], undefined],
  [['fe80::5054:ff:fe12:3456'], undefined],
  [['fd00:10:244::7', 'fe80::1'], 'unique-local'],
  [['2001:db8::7', 'fe80::1'], 'global'],
  [['fd00:10:244::7', '2001:db8::7'], 'global'],
])('a pod with %j: %s', (addresses, kind) => {
  expect(ipv6KindOf(own(...addresses))).toBe(kind)
})

it('an interface may have nothing', () => {
  expect(ipv6KindOf({ lo: [loopback], eth0: undefined })).toBeUndefined()
})
