import { expect, test } from 'vitest'
import { iptablesRules, nftRules } from '../../../../../cli/outbound/twin/keeper/rules.ts'
import { Verdict } from '../../../../../cli/outbound/twin/protocol.ts'

const options = { port: 15_001, address: '192.0.2.1' }

test('every verdict but those of the queue itself has a rule in both languages', () => {
  for (const mark of Object.values(Verdict)) {
    if (mark === Verdict.Drop || mark === Verdict.Leave) continue
    expect(iptablesRules(options)).toMatch(new RegExp(`--mark ${mark} -j (TPROXY|REJECT)`))
    expect(nftRules(options)).toMatch(new RegExp(`meta mark ${mark} (tproxy|reject)`))
  }
})

test('what the twin sends to itself is asked about only where it opens a connection on loopback', () => {
  const rules = iptablesRules(options)
  expect(rules.indexOf('-d 192.0.2.1/32 -j RETURN')).toBeLessThan(rules.indexOf('NFQUEUE'))
  expect(rules).not.toMatch(/--syn -d 127.* -j RETURN/)
  expect(rules).toContain('-p udp -d 127.0.0.0/16 -j RETURN')
})
