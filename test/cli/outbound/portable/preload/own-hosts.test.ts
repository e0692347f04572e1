import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { OwnHosts } from '../../../../../cli/outbound/portable/preload/own-hosts.ts'

let folder: string
let own: OwnHosts

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hosts-'))
  const file = join(folder, 'hosts')
  await writeFile(
    file,
    '127.0.0.1 localhost\n127.0.0.5\tdev.test  other.test # mine\n10.1.1.1 far.test\n::1 six.test\n127.77.1.2 orders orders.shop # intercept\n',
  )
  own = new OwnHosts(file)
})
afterAll(() => rm(folder, { recursive: true }))

const interfaces = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? [])

it.each(['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1', 'fe80::1%eth0', ...interfaces])(
  '%s is of this machine',
  (address) => expect(own.hasAddress(address)).toBe(true),
)
it.each(['10.96.0.1', '169.254.169.254', 'fd00::1', '203.0.113.1', '::ffff:10.0.0.1'])('%s is not', (address) =>
  expect(own.hasAddress(address)).toBe(false),
)
it.each([
  '',
  'localhost',
  'LOCALHOST.',
  'a.localhost',
  hostname(),
  '10.0.0.1',
  'fe80::1%eth0',
  'dev.test',
  'Other.Test',
  'six.test',
])('%j is no name to ask the cluster for', (name) => expect(own.hasName(name)).toBe(true))
it.each(['orders', 'orders.shop', 'far.test', 'example.com', 'notlocalhost'])('%s is', (name) =>
  expect(own.hasName(name)).toBe(false),
)
it('no hosts file is one without names', () => {
  expect(new OwnHosts(join(folder, 'none')).hasName('dev.test')).toBe(false)
})
