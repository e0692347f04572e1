import { describe, expect, test } from 'vitest'
import { ageOf, findIntercept, listIntercepts, portsOf } from '../../cli/commands/rows.ts'
import { KubeError } from '../../src/kube/error.ts'
import { interceptOf } from '../proxy-pod/support/objects.ts'
import { FakeKube } from './support/fake-kube.ts'

const mine = interceptOf({ name: 'orders-ada-1' })
const theirs = interceptOf({ name: 'orders-bob-2', spec: { holder: 'bob', ports: [{ port: 9229, name: 'debug' }] } })
const stock = interceptOf({ name: 'stock-ada-3', spec: { service: 'stock' } })

describe('the Intercept that is meant', () => {
  test.each([
    ['its own name', 'orders-ada-1', mine],
    ['its Service', 'stock', stock],
    ['its Service as kubectl writes it', 'svc/stock', stock],
    ['its Service in words', 'service/stock', stock],
  ])('by %s', (_what, name, found) => {
    expect(findIntercept([mine, theirs, stock], name)).toBe(found)
  })

  test('its own name comes first, also where a Service has that name', () => {
    const confusing = interceptOf({ name: 'x', spec: { service: 'orders-ada-1' } })
    expect(findIntercept([confusing, mine], 'orders-ada-1')).toBe(mine)
  })

  test('one of two is not guessed', () => {
    expect(() => findIntercept([mine, theirs], 'orders')).toThrow(
      expect.objectContaining({
        code: 'ambiguous-intercept',
        message: 'several Intercepts of orders: orders-ada-1 (ada), orders-bob-2 (bob)',
      }),
    )
  })

  test('none', () => {
    expect(() => findIntercept([mine], 'web')).toThrow(
      expect.objectContaining({ code: 'intercept-not-found', fix: 'intercept list --all-namespaces' }),
    )
  })
})

describe('a list', () => {
  test('of a cluster without intercept says what to type', async () => {
    const kube = new FakeKube()
    kube.before = () => {
      throw new KubeError('not-found', 'the server could not find the requested resource', { status: 404 })
    }
    await expect(listIntercepts(kube, 'shop')).rejects.toMatchObject({
      code: 'not-installed',
      fix: 'intercept install',
    })
  })

  test.each([
    [mine, '80'],
    [theirs, '9229/debug'],
    [interceptOf({ spec: { ports: [{ port: 80, name: 'http' }, { port: 81 }] } }), '80/http,81'],
  ])('shows ports as %2$s', (intercept, text) => {
    expect(portsOf(intercept)).toBe(text)
  })

  test.each([
    ['2026-01-01T10:00:00Z', '12 s'],
    ['2026-01-01T09:00:00Z', '1 h'],
    ['2026-01-01T10:01:00Z', '0 ms'],
    [undefined, '?'],
    ['yesterday', '?'],
  ])('shows the age of %s as %s', (time, text) => {
    expect(ageOf(time, Date.parse('2026-01-01T10:00:12.300Z'))).toBe(text)
  })
})
