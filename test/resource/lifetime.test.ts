import { expect, it } from 'vitest'
import { lifetimeOf } from '../../src/resource/intercept.ts'
import { interceptOf } from '../proxy-pod/support/objects.ts'

it('a laptop that is away ends it; one that a workload answers stays until its time is over, if it has one', () => {
  const { ttlSeconds: _ttl, publicKey: _key, ...rest } = interceptOf().spec
  const to = { kind: 'Service', name: 'orders-pr-1' } as const
  expect(lifetimeOf(rest)).toEqual({ seconds: 900, from: 'lastSeen' })
  expect(lifetimeOf({ ...rest, ttlSeconds: 60 })).toEqual({ seconds: 60, from: 'lastSeen' })
  expect(lifetimeOf({ ...rest, to })).toBeUndefined()
  expect(lifetimeOf({ ...rest, to, ttlSeconds: 60 })).toEqual({ seconds: 60, from: 'created' })
})
