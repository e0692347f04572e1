import { expect, test } from 'vitest'
import { Verdict } from '../../../../cli/outbound/twin/protocol.ts'
import { datagramVerdictOf, verdictOf } from '../../../../cli/outbound/twin/verdict-of.ts'

test.each([
  ['ECONNREFUSED', Verdict.Refuse, Verdict.PortUnreachable],
  ['EHOSTUNREACH', Verdict.HostUnreachable, Verdict.HostUnreachable],
  ['ENETUNREACH', Verdict.NetworkUnreachable, Verdict.NetworkUnreachable],
  // Of a pod that lacks the family, in its interfaces or in its kernel.
  ['EADDRNOTAVAIL', Verdict.NetworkUnreachable, Verdict.NetworkUnreachable],
  ['EAFNOSUPPORT', Verdict.NetworkUnreachable, Verdict.NetworkUnreachable],
  ['EACCES', Verdict.Prohibited, Verdict.Prohibited],
  ['not-allowed', Verdict.Prohibited, Verdict.Prohibited],
  ['ETIMEDOUT', Verdict.Drop, Verdict.Drop],
  ['of a later release', Verdict.HostUnreachable, Verdict.HostUnreachable],
])('%s', (code, ofConnection, ofDatagram) => {
  const error = Object.assign(new Error('refused'), { code })
  expect(verdictOf(error)).toBe(ofConnection)
  expect(datagramVerdictOf(error)).toBe(ofDatagram)
})
