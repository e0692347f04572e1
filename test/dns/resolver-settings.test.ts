import { expect, it } from 'vitest'
import { parseResolverSettings } from '../../src/dns/resolver-settings.ts'

it('reads what the proxy pod says, and nothing else', () => {
  const settings = { nameservers: ['10.96.0.10'], searches: ['shop.svc.cluster.local'], options: ['ndots:5'] }
  expect(parseResolverSettings(JSON.stringify(settings))).toEqual(settings)
  expect(parseResolverSettings(JSON.stringify({ ...settings, ipv6: 'global' }))).toEqual({
    ...settings,
    ipv6: 'global',
  })
  expect(parseResolverSettings(JSON.stringify({ ...settings, ipv6: 'of a later release' }))).toEqual(settings)
  for (const text of ['', 'null', '[]', '{}', JSON.stringify({ ...settings, searches: [1] })]) {
    expect(parseResolverSettings(text), text).toBeUndefined()
  }
})
