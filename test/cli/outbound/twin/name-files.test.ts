import { expect, test } from 'vitest'
import { fallbackNameServer, hostsFile, nsswitch, resolvConf } from '../../../../cli/outbound/twin/name-files.ts'

test('resolv.conf', () => {
  const settings = {
    nameservers: ['10.96.0.10'],
    searches: ['shop.svc.cluster.local', 'cluster.local'],
    options: ['ndots:5'],
  }
  expect(resolvConf(settings, false)).toBe(
    'nameserver 10.96.0.10\nsearch shop.svc.cluster.local cluster.local\noptions ndots:5\n',
  )
})

test.each([
  [['10.96.0.10', 'fd00:96::a'], true, ['10.96.0.10', 'fd00:96::a']],
  [['10.96.0.10', 'fd00:96::a'], false, ['10.96.0.10']],
  [['fd00:96::a'], false, [fallbackNameServer]],
  [['fe80::1%eth0'], true, [fallbackNameServer]],
  [[], true, [fallbackNameServer]],
])('of the name servers %j, with IPv6: %s, there are %j', (nameservers, hasIPv6, expected) => {
  const text = resolvConf({ nameservers, searches: [], options: [] }, hasIPv6)
  expect(text).toBe(expected.map((address) => `nameserver ${address}\n`).join(''))
})

test('hosts: this machine, and the aliases of the pod', () => {
  const text = hostsFile([{ ip: '10.1.2.3', hostnames: ['ledger', 'ledger.bank'] }, { ip: '10.1.2.4' }], 'laptop')
  expect(text).toMatch(/^127\.0\.0\.1\tlocalhost$/m)
  expect(text).toMatch(/^127\.0\.0\.1\tlaptop$/m)
  expect(text).toMatch(/^10\.1\.2\.3\tledger\tledger\.bank$/m)
})

test('nsswitch: hosts are asked of files and DNS, the rest stays', () => {
  const text =
    'passwd: files systemd\nhosts:  mymachines resolve [!UNAVAIL=return] files myhostname dns\ngroup: files\n'
  expect(nsswitch(text)).toBe('passwd: files systemd\ngroup: files\nhosts: files dns\n')
})
