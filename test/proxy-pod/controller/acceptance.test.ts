import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { InterceptSpec } from '../../../src/resource/intercept.ts'
import { GATEWAY_PORT } from '../../../src/resource/names.ts'
import { accept } from '../../../src/takeover/acceptance.ts'
import { interceptOf, serviceOf } from '../support/objects.ts'

const twoPorts = serviceOf({
  ports: [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'debug', port: 9229 },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ],
})

describe('two people on one port', () => {
  const ada = interceptOf({ name: 'orders-ada', at: '2026-01-01T10:00:00Z' })
  const bob = interceptOf({ name: 'orders-bob', at: '2026-01-01T10:00:05Z', spec: { holder: 'bob' } })

  test.each([
    ['in order', [ada, bob]],
    ['in the other order', [bob, ada]],
  ])('the first one has it, the second is told who and since when: %s', (_name, both) => {
    const { accepted, refused } = accept(serviceOf(), both)
    expect(accepted).toEqual([ada])
    expect(refused.get(bob)).toEqual({
      reason: 'Conflict',
      message:
        'port 80 of Service shop/orders is intercepted by ada (on lovelace) since 2026-01-01T10:00:00Z, Intercept orders-ada',
    })
  })

  test('of the same second: all replicas agree', () => {
    const twin = interceptOf({ name: 'orders-a', spec: { holder: 'bob' } })
    expect(accept(serviceOf(), [ada, twin]).accepted).toEqual([twin])
    expect(accept(serviceOf(), [twin, ada]).accepted).toEqual([twin])
  })

  test('the second has it when the first leaves', () => {
    expect(accept(serviceOf(), [bob])).toMatchObject({ accepted: [bob], refused: new Map() })
  })

  test('one port in common is enough to be refused as a whole', () => {
    const greedy = interceptOf({
      name: 'z',
      at: '2026-01-02T00:00:00Z',
      spec: { ports: [{ port: 9229 }, { port: 80 }] },
    })
    const { accepted, refused } = accept(twoPorts, [ada, greedy])
    expect(accepted).toEqual([ada])
    expect(refused.get(greedy)?.reason).toBe('Conflict')
  })

  test('one that is refused holds nothing', () => {
    const wrong = interceptOf({ name: 'a', at: '2025-01-01T00:00:00Z', spec: { ports: [{ port: 80 }, { port: 81 }] } })
    expect(accept(serviceOf(), [wrong, ada]).accepted).toEqual([ada])
  })

  test('two ports of one Service, two people', () => {
    const other = interceptOf({ name: 'b', spec: { holder: 'bob', ports: [{ port: 9229 }] } })
    expect(accept(twoPorts, [ada, other]).accepted).toHaveLength(2)
  })
})

describe('parts of one port', () => {
  const part = (name: string, spec: Partial<InterceptSpec>) =>
    interceptOf({ name, at: `2026-01-01T10:00:0${name.length}Z`, spec: { holder: name, ...spec } })
  const whole = part('a', {})

  test('any number of people side by side', () => {
    const all = ['ada', 'bob', 'carol', 'dave'].map((as) => part(as, { match: { as } }))
    expect(accept(serviceOf(), all).accepted).toHaveLength(4)
  })

  test('of two that share a request the second is told which', () => {
    const [ada, bobby] = [
      part('ada', { match: { as: 'ada' } }),
      part('bobby', { match: { paths: [{ prefix: '/orders' }] } }),
    ]
    const { accepted, refused } = accept(serviceOf(), [ada, bobby])
    expect(accepted).toEqual([ada])
    expect(refused.get(bobby)?.reason).toBe('Conflict')
    expect(refused.get(bobby)?.message).toMatch(/Intercept ada: both match GET \/orders with x-intercept: ada$/)
  })

  test('beside everything there is no part', () => {
    expect(accept(serviceOf(), [whole, part('bob', { match: { as: 'bob' } })]).accepted).toEqual([whole])
    const [ada, later] = [part('ada', { match: { as: 'ada' } }), part('later', {})]
    expect(accept(serviceOf(), [ada, later]).accepted).toEqual([ada])
  })

  test("copies are in nobody's way", () => {
    const mirrors = [part('bob', { mode: 'mirror' }), part('carol', { mode: 'mirror' })]
    expect(accept(serviceOf(), [whole, ...mirrors]).accepted).toHaveLength(3)
  })

  test('a port has one certificate', () => {
    const one = part('ada', { match: { as: 'ada' }, tls: { secretName: 'a', toLocal: false } })
    const same = part('carol', { match: { as: 'carol' }, tls: { secretName: 'a', toLocal: true } })
    const other = part('gertrud', {
      mode: 'mirror',
      match: { as: 'gertrud' },
      tls: { secretName: 'b', toLocal: false },
    })
    const none = part('hildegard', { match: { as: 'hildegard' } })
    const { accepted, refused } = accept(serviceOf(), [one, same, other, none])
    expect(accepted).toEqual([one, same])
    expect(refused.get(other)).toMatchObject({ reason: 'Conflict', message: expect.stringContaining('Secret a') })
    expect(refused.get(none)?.reason).toBe('Conflict')
  })

  test('what RE2 does not take is refused by itself, and holds nothing', () => {
    const wrong = part('a', { match: { headers: [{ name: 'x', regex: '(?=a)' }] } })
    const { accepted, refused } = accept(serviceOf(), [wrong, part('bob', {})])
    expect(accepted).toHaveLength(1)
    expect(refused.get(wrong)).toMatchObject({ reason: 'InvalidMatch', message: expect.stringContaining('(?=a)') })
  })
})

describe('what cannot be intercepted', () => {
  const one = interceptOf()
  test.each([
    ['no such Service', undefined, one, 'NoSuchService'],
    ['ExternalName', serviceOf({ type: 'ExternalName', externalName: 'db.example.com' }), one, 'Unsupported'],
    ['no selector', serviceOf({ selector: {} }), one, 'Unsupported'],
    // Their callers would reach nobody at all.
    ['callers stay on their node', serviceOf({ internalTrafficPolicy: 'Local' }), one, 'Unsupported'],
    ['callers from outside stay on their node', serviceOf({ externalTrafficPolicy: 'Local' }), one, 'Unsupported'],
    ['an SCTP port', serviceOf({ ports: [{ port: 80 }, { port: 9, protocol: 'SCTP' }] }), one, 'Unsupported'],
    ['no such port', serviceOf({ ports: [{ port: 81 }] }), one, 'NoSuchPort'],
    ['a UDP port', twoPorts, interceptOf({ spec: { ports: [{ port: 53 }] } }), 'NoSuchPort'],
  ] as const)('%s', (_name, service, intercept, reason) => {
    const { accepted, refused } = accept(service, [intercept])
    expect(accepted).toEqual([])
    expect(refused.get(intercept)?.reason).toBe(reason)
  })

  test('a Service that is taken over has our key in its selector, and still a selector', () => {
    const taken = serviceOf({ selector: { app: 'orders', 'intercept.dev/taken-over': 'x' } })
    expect(accept(taken, [one]).accepted).toEqual([one])
  })
})

describe('headless Services', () => {
  const headless = serviceOf({ clusterIP: 'None', ports: [{ port: 5432 }, { port: 9187, targetPort: 9000 }] })
  const one = interceptOf({ spec: { ports: [{ port: 5432 }] } })

  test('two on one port cannot be told apart, whichever port of theirs it is', () => {
    const { refused } = accept(headless, [one], new Map([[9000, 'shop/metrics']]))
    expect(refused.get(one)).toMatchObject({ reason: 'HeadlessPortInUse' })
    expect(refused.get(one)?.message).toContain('shop/metrics')
  })

  test('its own port is no conflict, and neither are other ports', () => {
    const ports = new Map([
      [5432, 'shop/orders'],
      [9187, 'shop/metrics'],
    ])
    expect(accept(headless, [one], ports).accepted).toEqual([one])
  })

  test('a Service with an address of its own does not care', () => {
    expect(accept(serviceOf(), [interceptOf()], new Map([[8080, 'shop/metrics']])).accepted).toHaveLength(1)
  })

  test("the port of the proxy pods' own gateway cannot be had", () => {
    const secure = serviceOf({ clusterIP: 'None', ports: [{ port: 443, targetPort: GATEWAY_PORT }] })
    const wanting = interceptOf({ spec: { ports: [{ port: 443 }] } })
    expect(accept(secure, [wanting]).refused.get(wanting)).toMatchObject({ reason: 'HeadlessPortInUse' })
  })
})

test('whoever asks in whatever order: no port has two holders, everybody is accepted or told why', () => {
  const wish = fc.record({
    seconds: fc.integer({ min: 0, max: 3 }),
    ports: fc.uniqueArray(fc.constantFrom(80, 81, 82, 83), { minLength: 1, maxLength: 3 }),
  })
  const service = serviceOf({ ports: [{ port: 80 }, { port: 81 }, { port: 82 }] })
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (wishes, order) => {
      const all = wishes.map(({ seconds, ports }, index) =>
        interceptOf({
          name: `i-${index}`,
          at: `2026-01-01T10:00:0${seconds}Z`,
          spec: { ports: ports.map((port) => ({ port })) },
        }),
      )
      const shuffled = all
        .map((one) => ({ one, rank: order.next().value as number }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ one }) => one)
      const { accepted, refused } = accept(service, shuffled)
      const held = accepted.flatMap(({ spec }) => spec.ports.map(({ port }) => port))
      expect(new Set(held).size).toBe(held.length)
      expect(accepted.length + refused.size).toBe(all.length)
      expect(accept(service, all).accepted).toEqual(accepted)
    }),
  )
})
