import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressesMeant, hostPort, plainAddress } from '../src/ip-address.ts'

describe('the plain spelling', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['FD00:0:0::A', 'fd00::a'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:a00:1', '10.0.0.1'],
    ['0:0:0:0:0:ffff:a00:1', '10.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('of %s is %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain)
  })

  it('is its own', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(plainAddress(plainAddress(address))).toBe(plainAddress(address))
      }),
    )
  })
})

it('NAT64 leads to the IPv4 address within', () => {
  expect(addressesMeant('64:ff9b::10.0.1.2')).toEqual(['64:ff9b::a00:102', '10.0.1.2'])
  expect(addressesMeant('64:ff9b::1')).toEqual(['64:ff9b::1', '0.0.0.1'])
  expect(addressesMeant('64:ff9b::')).toEqual(['64:ff9b::', '0.0.0.0'])
  expect(addressesMeant('64:ff9b:1::a00:102')).toEqual(['64:ff9b:1::a00:102'])
  expect(addressesMeant('::ffff:10.0.1.2')).toEqual(['10.0.1.2'])
})

it('a host and its port are written as in URLs', () => {
  expect([hostPort('fd00::7', 80), hostPort('10.0.0.7', 80), hostPort('db', 80)]).toEqual([
    '[fd00::7]:80',
    '10.0.0.7:80',
    'db:80',
  ])
})
