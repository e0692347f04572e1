import { describe, expect, it } from 'vitest'
import { Denied, isLoopback, sameAddress } from '../../../proxy-pod/outbound/denied.ts'

const denied = new Denied({ ips: ['10.1.0.9', 'fd00::9'], gatewayPort: 8443 })

describe('an address', () => {
  it.each([
    ['127.0.0.1', 80],
    ['127.9.9.9', 80],
    ['0.0.0.0', 80],
    ['::1', 80],
    ['::ffff:127.0.0.1', 80],
    ['169.254.169.254', 80],
    ['::ffff:169.254.169.254', 80],
    ['::ffff:a9fe:a9fe', 80],
    ['0:0:0:0:0:FFFF:A9FE:A9FE', 80],
    ['64:ff9b::169.254.169.254', 80],
    ['fd00:ec2::254', 80],
    ['FD00:0EC2:0::0254', 80],
    ['fd00:ec2::254%eth0', 80],
    ['fd00:ec2::23', 80],
    ['fd20:ce::254', 80],
    ['fe80::1', 80],
    ['fe80::1%eth0', 80],
    ['::1%lo', 80],
    ['::', 80],
    ['168.63.129.16', 80],
    ['100.100.100.200', 80],
    ['10.0.0.1', 10_250],
    ['fd00::1', 10_250],
    ['::ffff:10.0.0.1', 10_250],
    ['10.1.0.9', 8443],
    ['fd00::9', 8443],
    ['fd00:0:0::9', 8443],
    ['::ffff:10.1.0.9', 8443],
  ])('%s port %i is denied', (address, port) => {
    expect(denied.why(address, port)).toBeDefined()
  })

  it.each(['10.0.0.1', '192.168.1.1', '8.8.8.8', 'fd00::1', '2001:db8::1', '64:ff9b::8.8.8.8'])(
    '%s is allowed',
    (address) => {
      expect(denied.why(address, 443)).toBeUndefined()
    },
  )
})

describe('on a machine whose pods are on loopback', () => {
  const here = new Denied({ ips: ['127.7.0.3'], gatewayPort: 8443 })

  it.each(['127.7.0.4', '127.7.96.10', '::ffff:127.7.0.4'])('the neighbour %s is allowed', (address) => {
    expect(here.why(address, 5432)).toBeUndefined()
  })

  it.each([
    ['127.7.0.3', 8443],
    ['127.0.0.1', 5432],
    ['127.8.0.4', 5432],
    ['::1', 5432],
    ['127.7.255.254', 10_250],
  ])('%s port %i is denied', (address, port) => {
    expect(here.why(address, port)).toBeDefined()
  })

  it('with one address for all of them that address is allowed, but for the gateway', () => {
    const single = new Denied({ ips: ['127.0.0.1'], gatewayPort: 41_000 })
    expect(single.why('127.0.0.1', 5432)).toBeUndefined()
    expect(single.why('127.0.0.1', 41_000)).toBeDefined()
  })
})

it('spellings of one address are one', () => {
  expect(sameAddress('fd00:0::1', 'fd00::1')).toBe(true)
  expect(sameAddress('10.0.0.1', '::ffff:10.0.0.1')).toBe(true)
  expect(sameAddress('10.0.0.1', '10.0.0.2')).toBe(false)
  expect(isLoopback('127.1.2.3')).toBe(true)
  expect(isLoopback('10.0.0.1')).toBe(false)
})
