import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OriginBalancer } from '../../../proxy-pod/dataplane/origin-balancer.ts'
import type { OriginEndpoint } from '../../../src/takeover/endpoints.ts'

const pods = (count: number): OriginEndpoint[] =>
  Array.from({ length: count }, (_, index) => ({ address: `10.0.0.${index + 1}`, port: 8080 }))

function balancerOf(endpoints: readonly OriginEndpoint[], options: { sticky?: boolean; now?: () => number } = {}) {
  const balancer = new OriginBalancer(options.now)
  balancer.update(endpoints, options.sticky ?? false)
  return balancer
}

const firsts = (balancer: OriginBalancer, clients: readonly string[]): string[] =>
  clients.map((client) => balancer.order(client)[0]?.address ?? 'none')

describe('without session affinity', () => {
  test('every pod gets its share', () => {
    const chosen = firsts(balancerOf(pods(3)), Array<string>(300).fill('10.9.9.9'))
    for (const { address } of pods(3)) expect(chosen.filter((one) => one === address)).toHaveLength(100)
  })

  test('no pod, nobody', () => {
    expect(balancerOf([]).order('10.9.9.9')).toEqual([])
  })
})

describe('with session affinity ClientIP', () => {
  const clients = Array.from({ length: 200 }, (_, index) => `10.9.${index}.1`)

  test('a client stays with its pod, clients are spread', () => {
    const balancer = balancerOf(pods(4), { sticky: true })
    const first = firsts(balancer, clients)
    expect(firsts(balancer, clients)).toEqual(first)
    for (const { address } of pods(4)) expect(first.filter((one) => one === address).length).toBeGreaterThan(20)
  })

  test('two replicas agree, though they know the pods in another order', () => {
    expect(firsts(balancerOf(pods(5), { sticky: true }), clients)).toEqual(
      firsts(balancerOf(pods(5).reverse(), { sticky: true }), clients),
    )
  })

  test('a pod that goes moves only its own clients', () => {
    const before = firsts(balancerOf(pods(4), { sticky: true }), clients)
    const after = firsts(balancerOf(pods(3), { sticky: true }), clients)
    for (const [index, address] of before.entries()) if (address !== '10.0.0.4') expect(after[index]).toBe(address)
  })
})

describe('a pod that did not accept', () => {
  test.each([false, true])('is tried last for 5 seconds (sticky: %s)', (sticky) => {
    let now = 0
    const [bad] = pods(3)
    const balancer = balancerOf(pods(3), { sticky, now: () => now })
    balancer.failed(bad as OriginEndpoint)
    for (let count = 0; count < 10; count += 1) expect(balancer.order(`10.9.9.${count}`).at(-1)).toEqual(bad)
    now = 5_001
    expect(
      firsts(
        balancer,
        Array.from({ length: 60 }, (_, index) => `10.9.9.${index}`),
      ),
    ).toContain(bad?.address)
  })

  test('is still tried where there is no other', () => {
    const [only] = pods(1)
    const balancer = balancerOf(pods(1))
    balancer.failed(only as OriginEndpoint)
    expect(balancer.order('10.9.9.9')).toEqual([only])
  })

  test('is forgotten when it goes: the next pod with its address is a new one', () => {
    const balancer = balancerOf(pods(2), { now: () => 0 })
    balancer.failed(pods(2)[0] as OriginEndpoint)
    balancer.update(pods(2).slice(1), false)
    balancer.update(pods(2), false)
    expect(new Set(firsts(balancer, ['a', 'b'])).size).toBe(2)
  })
})

test('whatever happened, each connection is offered every pod exactly once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 6 }),
      fc.boolean(),
      fc.array(fc.integer({ min: 0, max: 5 })),
      fc.string(),
      (count, sticky, failures, client) => {
        const balancer = balancerOf(pods(count), { sticky })
        for (const index of failures) balancer.failed(pods(6)[index] as OriginEndpoint)
        const sorted = balancer
          .order(client)
          .map(({ address }) => address)
          .sort()
        expect(sorted).toEqual(pods(count).map(({ address }) => address))
      },
    ),
  )
})
