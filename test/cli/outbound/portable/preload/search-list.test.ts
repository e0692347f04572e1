import { expect, it } from 'vitest'
import { fullNames, searchListOf } from '../../../../../cli/outbound/portable/preload/search-list.ts'

const list = searchListOf('shop.svc.cluster.local svc.cluster.local. timeout:1 ndots:3')

it('is read as a resolv.conf says it', () => {
  expect(list).toEqual({ domains: ['shop.svc.cluster.local', 'svc.cluster.local'], ndots: 3 })
  expect(searchListOf('')).toEqual({ domains: [], ndots: 1 })
  expect(searchListOf('ndots:99').ndots).toBe(15)
})

it.each([
  ['orders', ['orders.shop.svc.cluster.local', 'orders.svc.cluster.local', 'orders']],
  ['a.b.c.d', ['a.b.c.d', 'a.b.c.d.shop.svc.cluster.local', 'a.b.c.d.svc.cluster.local']],
  ['orders.', ['orders']],
])('%s may mean %j', (name, names) => {
  expect(fullNames(name, list)).toEqual(names)
})
