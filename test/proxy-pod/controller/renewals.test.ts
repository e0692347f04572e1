import { expect, test } from 'vitest'
import { Renewals } from '../../../proxy-pod/controller/renewals.ts'
import type { Connection } from '../../../src/resource/connection.ts'

const connection = (uid: string, renewTime: string): Connection => ({
  apiVersion: 'intercept.dev/v1alpha1',
  kind: 'Connection',
  metadata: { name: uid, namespace: 'shop', uid },
  spec: { holder: 'ada', publicKey: 'k', reach: 'namespace', renewTime, ttlSeconds: 120 },
})

test('a Connection lives as long as it is renewed, whatever the clock of the laptop says', () => {
  let now = 0
  const renewals = new Renewals(() => now)
  const slow = '2001-01-01T00:00:00Z'
  renewals.observe([connection('a', slow), connection('b', '2101-01-01T00:00:00Z')])
  expect(renewals.isExpired(connection('a', slow))).toBe(false)
  now = 100_000
  renewals.observe([connection('a', '2001-01-01T00:01:40Z'), connection('b', '2101-01-01T00:00:00Z')])
  now = 120_001
  expect(renewals.isExpired(connection('a', '2001-01-01T00:01:40Z'))).toBe(false)
  expect(renewals.isExpired(connection('b', '2101-01-01T00:00:00Z'))).toBe(true)
  expect(renewals.isExpired(connection('c', slow))).toBe(false)
})
