import { describe, expect, test } from 'vitest'
import { iptablesRules, nftRules } from '../../../../../cli/outbound/twin/keeper/rules.ts'
import { Verdict } from '../../../../../cli/outbound/twin/protocol.ts'

const ipv4 = { family: 'ipv4', port: 15_001, address: '192.0.2.1' } as const
const ipv6 = { family: 'ipv6', port: 15_001, address: '2001:db8::1' } as const

describe.each([ipv4, ipv6])('$family', (options) => {
  test('every verdict but those of the queue itself has a rule in both languages', () => {
    for (const mark of Object.values(Verdict)) {
      if (mark === Verdict.Drop || mark === Verdict.Leave) continue
      expect(iptablesRules(options)).toMatch(new RegExp(`--mark ${mark} -j (TPROXY|REJECT)`))
      expect(nftRules(options)).toMatch(new RegExp(`meta mark ${mark} (tproxy|reject)`))
    }
  })

  test('what the twin sends to itself is asked about only where it opens a connection on loopback', () => {
    const rules = iptablesRules(options)
    expect(rules.indexOf(`-d ${options.address}/`)).toBeLessThan(rules.indexOf('NFQUEUE'))
    expect(rules).not.toMatch(/--syn -d (127|::1).* -j RETURN/)
    expect(rules).toMatch(/-p udp -d (127\.0\.0\.0\/16|::1\/128) -j RETURN/)
  })

  test('without an address of its own only connections on loopback are asked about', () => {
    const rules = iptablesRules({ ...options, address: undefined })
    expect(rules.match(/^.*NFQUEUE.*$/gm)).toEqual([expect.stringMatching(/--syn -d (127\.0\.0\.0\/16|::1\/128) /)])
    const nft = nftRules({ ...options, address: undefined })
    expect(nft.match(/^.*queue num.*$/gm)).toEqual([expect.stringMatching(/ daddr (127\.0\.0\.0\/16|::1\/128) queue/)])
  })
})

test('neither family has the words of the other', () => {
  for (const rules of [iptablesRules(ipv4), nftRules(ipv4)]) expect(rules).not.toMatch(/icmp6|icmpv6|ip6|::/)
  for (const rules of [iptablesRules(ipv6), nftRules(ipv6)])
    expect(rules).not.toMatch(/icmp-|icmp type|127\.|\bip daddr/)
})
