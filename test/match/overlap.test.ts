import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileMatch } from '../../src/match/compile.ts'
import { describeRequest, overlapOf } from '../../src/match/overlap.ts'
import type { Match } from '../../src/resource/intercept.ts'
import { someMatch, someRequest } from './arbitraries.ts'

const withoutPercent = ({ percent: _percent, ...rest }: Match) => compileMatch(rest, 'salt')

describe('against brute force', () => {
  test('what is said to be apart shares no request', () => {
    let apart = 0
    let hits = 0
    fc.assert(
      fc.property(someMatch, someMatch, fc.array(someRequest, { minLength: 20, maxLength: 20 }), (a, b, requests) => {
        const [inA, inB] = [withoutPercent(a), withoutPercent(b)]
        const isApart = overlapOf(a, b) === undefined
        if (isApart) apart++
        for (const request of requests) {
          if (inA(request, '') || inB(request, '')) hits++
          if (isApart) expect(inA(request, '') && inB(request, ''), describeRequest(request)).toBe(false)
        }
      }),
      { numRuns: 3_000 },
    )
    // Else it has proved nothing.
    expect(apart).toBeGreaterThan(150)
    expect(hits).toBeGreaterThan(3_000)
  })

  test('every example is of both', () => {
    let examples = 0
    let overlaps = 0
    fc.assert(
      fc.property(someMatch, someMatch, (a, b) => {
        const overlap = overlapOf(a, b)
        if (!overlap) return
        overlaps++
        if (!overlap.example) return
        examples++
        expect(withoutPercent(a)(overlap.example, '')).toBe(true)
        expect(withoutPercent(b)(overlap.example, '')).toBe(true)
      }),
      { numRuns: 3_000 },
    )
    expect(examples / overlaps).toBeGreaterThan(0.75)
  })

  test('it is the same both ways round, and a match overlaps itself', () => {
    fc.assert(
      fc.property(someMatch, someMatch, (a, b) => {
        expect(overlapOf(a, b) === undefined).toBe(overlapOf(b, a) === undefined)
      }),
    )
  })
})

describe('each dimension', () => {
  const header = (name: string, equals?: string): Match => ({
    headers: [{ name, ...(equals === undefined ? {} : { equals }) }],
  })
  const path = (...paths: NonNullable<Match['paths']>): Match => ({ paths })

  test.each<[string, Match | undefined, Match | undefined]>([
    ['two people', { as: 'ada' }, { as: 'bob' }],
    ['a person and the header that names another', { as: 'ada' }, header('X-Intercept', 'bob')],
    ['one header, two values', header('x-user', 'ada'), header('X-USER', 'bob')],
    ['a value and a regex', header('x-user', 'ada'), { headers: [{ name: 'x-user', regex: 'b.*' }] }],
    ['two regexes with other beginnings', path({ regex: '/a/.*' }), path({ regex: '/b/.*' })],
    [
      'two lists of words',
      { headers: [{ name: 'x', regex: 'ada|bob' }] },
      { headers: [{ name: 'x', regex: 'carol|dave' }] },
    ],
    ['two paths', path({ equals: '/a' }), path({ equals: '/a/' })],
    ['a path outside a prefix', path({ equals: '/b' }), path({ prefix: '/a' })],
    ['two prefixes', path({ prefix: '/a/' }, { prefix: '/b/' }), path({ prefix: '/c' }, { equals: '/d' })],
    ['two methods', { methods: ['GET', 'HEAD'] }, { methods: ['POST'] }],
    ['one parameter, two values', { queries: [{ name: 'q', equals: '1' }] }, { queries: [{ name: 'q', equals: '2' }] }],
    ['two hosts', { hosts: ['a.example.com'] }, { hosts: ['b.example.com'] }],
    ['a host is not below itself', { hosts: ['example.com'] }, { hosts: ['*.example.com'] }],
    ['two domains', { hosts: ['*.a.example.com'] }, { hosts: ['*.b.example.com'] }],
    [
      'two methods of a gRPC service',
      { grpc: [{ service: 's.A', method: 'X' }] },
      { grpc: [{ service: 's.A', method: 'Y' }] },
    ],
    ['gRPC and another method', { grpc: [{ service: 's.A' }] }, { methods: ['GET'] }],
    ['gRPC and another path', { grpc: [{ service: 's.A' }] }, path({ prefix: '/s.B/' })],
    ['gRPC and JSON', { grpc: [{ service: 's.A' }] }, header('content-type', 'application/json')],
    ['one dimension is enough', { as: 'ada', percent: { value: 5 }, ...path({ prefix: '/' }) }, { as: 'bob' }],
  ])('are apart: %s', (_name, a, b) => {
    expect(overlapOf(a, b)).toBeUndefined()
  })

  test.each<[string, Match | undefined, Match | undefined, string]>([
    ['everything', undefined, undefined, 'both match GET /'],
    ['everything and a part', undefined, header('x-user', 'ada'), 'both match GET / with x-user: ada'],
    ['two headers', header('x-user', 'ada'), header('x-team', 'red'), 'both match GET / with x-user: ada, x-team: red'],
    [
      'a path and a header',
      path({ prefix: '/orders/' }),
      header('x-user', 'ada'),
      'both match GET /orders/ with x-user: ada',
    ],
    ['present, and a value', header('x-user'), header('x-user', 'ada'), 'both match GET / with x-user: ada'],
    [
      'the same flag again is an or',
      {
        headers: [
          { name: 'x-user', equals: 'ada' },
          { name: 'x-team', equals: 'red' },
        ],
      },
      header('x-user', 'bob'),
      'both match GET / with x-team: red, x-user: bob',
    ],
    ['a person and a path', { as: 'ada' }, path({ equals: '/a' }), 'both match GET /a with x-intercept: ada'],
    ['percent proves nothing', { percent: { value: 1 } }, { percent: { value: 1 } }, 'both match GET /'],
    [
      'gRPC and its path',
      { grpc: [{ service: 's.A' }] },
      path({ equals: '/s.A/X' }),
      'both match POST /s.A/X with content-type: application/grpc',
    ],
    ['hosts', { hosts: ['*.example.com'] }, undefined, 'both match GET / with host: a.example.com'],
    ['queries', { queries: [{ name: 'q', equals: 'a b' }] }, undefined, 'both match GET /?q=a%20b'],
    [
      'regexes of which nothing is known',
      path({ regex: '/a.*b' }),
      path({ regex: '/a.*c' }),
      "cannot prove that no request matches both 'path ~/a.*b' and 'path ~/a.*c'",
    ],
  ])('overlap: %s', (_name, a, b, reason) => {
    expect(overlapOf(a, b)?.reason).toBe(reason)
  })

  test('the largest matches are judged at once', () => {
    const many = (letter: string): Match => ({
      headers: Array.from({ length: 16 }, (_, index) => ({ name: `h${index}`, regex: `${letter}.*x${index}` })),
      paths: Array.from({ length: 16 }, (_, index) => ({ regex: `/.*${letter}${index}[0-9]+z` })),
      queries: Array.from({ length: 16 }, (_, index) => ({ name: `q${index}`, regex: `.*${letter}${index}[0-9]+z` })),
    })
    const before = performance.now()
    expect(overlapOf(many('a'), many('b'))).toBeDefined()
    expect(performance.now() - before).toBeLessThan(2_000)
  })
})
