import { expect, test } from 'vitest'
import { hostsFile, nsswitch, resolvConf } from '../../../../cli/outbound/twin/name-files.ts'

test('resolv.conf', () => {
  const settings = {
    nameservers: ['10.96.0.10'],
    searches: ['shop.svc.cluster.local', 'cluster.local'],
    options: ['ndots:5'],
  }
  expect(resolvConf(settings)).toBe(
    'nameserver 10.96.0.10\nsearch shop.svc.cluster.local cluster.local\noptions ndots:5\n',
  )
  expect(resolvConf({ nameservers: ['192.0.2.53'], searches: [], options: [] })).toBe('nameserver 192.0.2.53\n')
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
