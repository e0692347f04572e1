import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clusterNameOf } from '../../../proxy-pod/outbound/cluster-name.ts'
import { clusterDomainOf, fullNames, parseSearchList, searchListFor } from '../../../proxy-pod/outbound/search-list.ts'

const own = parseSearchList(
  'nameserver 10.96.0.10\nsearch intercept-system.svc.k8s.local svc.k8s.local k8s.local corp.example # ours\noptions ndots:5 edns0\n',
)

describe('the search list of the proxy pod', () => {
  it('is read as resolv.conf(5) has it', () => {
    expect(own).toEqual({
      domains: ['intercept-system.svc.k8s.local', 'svc.k8s.local', 'k8s.local', 'corp.example'],
      ndots: 5,
    })
    expect(parseSearchList('')).toEqual({ domains: [], ndots: 1 })
    expect(parseSearchList('domain a.example.\nsearch B.example\n; search c\noptions ndots:99')).toEqual({
      domains: ['b.example'],
      ndots: 15,
    })
  })

  it('shows the domain of the cluster', () => {
    expect(clusterDomainOf(own)).toBe('k8s.local')
    expect(clusterDomainOf({ domains: ['corp.example'], ndots: 1 })).toBe('cluster.local')
  })

  it('becomes that of a pod of another namespace', () => {
    expect(searchListFor(own, 'shop')).toEqual({
      domains: ['shop.svc.k8s.local', 'svc.k8s.local', 'k8s.local', 'corp.example'],
      ndots: 5,
    })
    expect(searchListFor({ domains: ['corp.example'], ndots: 1 }, 'shop')).toEqual({
      domains: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'],
      ndots: 5,
    })
  })
})

describe('the names that a name may mean', () => {
  const list = { domains: ['shop.svc.k8s.local', 'svc.k8s.local', 'k8s.local'], ndots: 5 }

  it.each([
    ['orders', ['orders.shop.svc.k8s.local', 'orders.svc.k8s.local', 'orders.k8s.local', 'orders']],
    [
      'Orders.Bank',
      ['orders.bank.shop.svc.k8s.local', 'orders.bank.svc.k8s.local', 'orders.bank.k8s.local', 'orders.bank'],
    ],
    ['a.example.com.', ['a.example.com']],
    [
      'a.b.c.d.e.f',
      ['a.b.c.d.e.f', 'a.b.c.d.e.f.shop.svc.k8s.local', 'a.b.c.d.e.f.svc.k8s.local', 'a.b.c.d.e.f.k8s.local'],
    ],
  ])('%s', (name, expected) => {
    expect(fullNames(name, list)).toEqual(expected)
  })

  it('are never empty, and never end in a dot', () => {
    fc.assert(
      fc.property(fc.domain(), fc.array(fc.domain(), { maxLength: 4 }), fc.nat(15), (name, domains, ndots) => {
        const names = fullNames(name, { domains, ndots })
        expect(names).toHaveLength(domains.length + 1)
        expect(names).toContain(name.toLowerCase())
      }),
    )
  })
})

describe('a name of the cluster’s domain', () => {
  it.each([
    ['orders.shop.svc.k8s.local', { namespace: 'shop', service: 'orders', endpoint: undefined }],
    ['web-0.orders.shop.svc.k8s.local', { namespace: 'shop', service: 'orders', endpoint: 'web-0' }],
    ['shop.svc.k8s.local', 'nothing'],
    ['_http._tcp.orders.shop.svc.k8s.local', 'nothing'],
    ['a..svc.k8s.local', 'nothing'],
    ['orders.k8s.local', undefined],
    ['example.com', undefined],
  ])('%s', (name, expected) => {
    expect(clusterNameOf(name, 'k8s.local')).toEqual(expected)
  })
})
