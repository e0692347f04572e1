import { describe, expect, it } from 'vitest'
import { destinationOf } from '../../../proxy-pod/outbound/destination.ts'

describe('the destination that a header names', () => {
  it.each([
    [
      { namespace: 'shop', service: 'web', port: 80 },
      { kind: 'service', namespace: 'shop', name: 'web', port: 80 },
    ],
    [
      { host: 'staging.example.com', port: 443 },
      { kind: 'host', host: 'staging.example.com', port: 443 },
    ],
    [
      { namespace: 'shop', host: 'orders', port: 80 },
      { kind: 'host', namespace: 'shop', host: 'orders', port: 80 },
    ],
    [
      { host: '::1', port: 1 },
      { kind: 'host', host: '::1', port: 1 },
    ],
    [
      { host: '::FFFF:a00:1', port: 1 },
      { kind: 'host', host: '10.0.0.1', port: 1 },
    ],
    [
      { host: 'FD00:0:0::7%eth0', port: 1 },
      { kind: 'host', host: 'fd00::7', port: 1 },
    ],
  ])('%j', (dial, expected) => {
    expect(destinationOf({ dial })).toEqual({ protocol: 'TCP', ...expected })
    expect(destinationOf({ proto: 'udp', dial })).toEqual({ protocol: 'UDP', ...expected })
    expect(destinationOf({ proto: 'sctp', dial })).toBeUndefined()
  })

  it.each([
    undefined,
    null,
    'web',
    {},
    { host: 'a b', port: 80 },
    { host: '', port: 80 },
    { host: 'web', port: 0 },
    { host: 'web', port: 65_536 },
    { host: 'web', port: '80' },
    { service: 'web', port: 80 },
    { namespace: '../shop', host: 'web', port: 80 },
    { service: 'Web', namespace: 'shop', port: 80 },
    { service: 'web', namespace: '../shop', port: 80 },
  ])('%j is none', (dial) => {
    expect(destinationOf({ dial })).toBeUndefined()
  })
})
