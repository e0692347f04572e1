import { describe, expect, it } from 'vitest'
import { parsePersonal, personalize } from '../../../cli/preview/personal.ts'

const ofAda = parsePersonal('ada', ['X-Tenant=42'])

describe('a personal request', () => {
  it('has the header, the baggage and what else was asked for', () => {
    const headers = {}
    personalize(headers, ofAda)
    expect(headers).toEqual({ 'x-intercept': 'ada', baggage: 'intercept=ada', 'x-tenant': '42' })
  })

  it.each([
    ['userId=alice,  isProduction=false;ttl=3', 'userId=alice,isProduction=false;ttl=3,intercept=ada'],
    ['intercept=bob', 'intercept=ada'],
    ['a=1, intercept = bob;p=1 ,b=2', 'a=1,b=2,intercept=ada'],
    ['interceptor=1', 'interceptor=1,intercept=ada'],
    ['', 'intercept=ada'],
  ])('with the baggage %j carries %j', (before, after) => {
    const headers: { baggage?: string } = { baggage: before }
    personalize(headers, ofAda)
    expect(headers.baggage).toBe(after)
  })
})

describe('what cannot be personal', () => {
  it.each([
    [undefined, [], 'usage'],
    ['a b', [], 'bad-name'],
    // Nobody can intercept as Ada: the page would show the cluster, and say nothing.
    ['Ada', [], 'bad-name'],
    ['a,b=c', [], 'bad-name'],
    [undefined, ['x'], 'bad-header'],
    [undefined, ['x y=1'], 'bad-header'],
    [undefined, ['x=1\r\ny: 2'], 'bad-header'],
  ] as const)('--as %j --header %j is refused: %s', (name, headers, code) => {
    expect(() => parsePersonal(name, headers)).toThrow(expect.objectContaining({ code, fix: expect.any(String) }))
  })
})
