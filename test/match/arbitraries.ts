import fc from 'fast-check'
import type { RequestHead } from '../../src/match/request.ts'
import type { Match } from '../../src/resource/intercept.ts'

/** Few names and values, so that matches meet each other and requests hit them. */
const values = ['ada', 'bob', 'ad', 'ada, bob', '', 'a1']
const regexes = ['ada|bob', 'a.*', 'ad', 'b+', '[ab].*', 'a(da|1)', '(?i)ADA', 'ad?', 'a1$', '^bob', 'ada|(?i)b', '.+']
const paths = ['/', '/a', '/a/', '/a/b', '/ab', '/shop.Orders/List', '/shop.Orders/Get', '/shop.Stock/Get']
const pathRegexes = ['/a.*', '/(a|ab)/?', '/a/?', '/a/b|/ab', '/shop\\.Orders/.*', '/[^/]*', '/a{1,2}b?']
const names = ['x-user', 'X-User', 'x-team', 'x-intercept', 'content-type']

const nonEmpty = <T>(entry: fc.Arbitrary<T>) =>
  fc.option(fc.array(entry, { minLength: 1, maxLength: 3 }), { nil: undefined })
const oneOf = <T>(list: readonly T[]) => fc.constantFrom(...list)

const named = (name: fc.Arbitrary<string>) =>
  fc.oneof(
    fc.record({ name }),
    fc.record({ name, equals: oneOf([...values, 'application/grpc', 'text/html']) }),
    fc.record({ name, regex: oneOf(regexes) }),
  )

export const someMatch: fc.Arbitrary<Match> = fc
  .record({
    as: fc.option(oneOf(['ada', 'bob']), { nil: undefined, freq: 2 }),
    headers: nonEmpty(named(oneOf(names))),
    paths: nonEmpty(
      fc.oneof(
        fc.record({ equals: oneOf(paths) }),
        fc.record({ prefix: oneOf(paths) }),
        fc.record({ regex: oneOf(pathRegexes) }),
      ),
    ),
    methods: nonEmpty(oneOf(['GET', 'POST', 'PUT'])),
    queries: nonEmpty(named(oneOf(['q', 'r']))),
    hosts: nonEmpty(oneOf(['a.example.com', 'A.example.com', '*.example.com', '*.b.example.com', 'localhost'])),
    grpc: nonEmpty(
      fc.oneof(
        fc.record({ service: oneOf(['shop.Orders', 'shop.Stock']) }),
        fc.record({ service: oneOf(['shop.Orders', 'shop.Stock']), method: oneOf(['Get', 'List']) }),
      ),
    ),
    percent: fc.option(fc.record({ value: oneOf([1, 50, 99]) }), { nil: undefined }),
  })
  .chain((match) =>
    // Few of the conditions at once: all of them together match nothing.
    fc
      .uniqueArray(oneOf(Object.keys(match) as (keyof Match)[]), { minLength: 1, maxLength: 3 })
      .map((kept) => Object.fromEntries(kept.map((key) => [key, match[key]]).filter(([, value]) => value)) as Match),
  )
  .filter((match) => Object.keys(match).length > 0)

const header = fc.oneof(
  fc.tuple(oneOf(['x-user', 'X-USER', 'x-team', 'x-intercept']), oneOf(values)),
  fc.tuple(oneOf(['content-type']), oneOf(['application/grpc', 'application/grpc+proto', 'text/html'])),
  fc.tuple(oneOf(['baggage']), oneOf(['intercept=ada', 'x=1, intercept=bob;p=2', 'intercept=ada,intercept=bob'])),
)

export const someRequest: fc.Arbitrary<RequestHead> = fc
  .record({
    method: oneOf(['GET', 'POST', 'PUT']),
    path: oneOf(paths),
    query: oneOf(['', '?q=ada', '?q=bob&q=ada', '?r=a1&q=', '?r=ada']),
    authority: oneOf(['', 'a.example.com', 'A.Example.com:80', 'x.b.example.com', 'localhost:8080', 'example.com']),
    headers: fc.array(header, { maxLength: 3 }),
  })
  .map(({ method, path, query, authority, headers }) => ({
    method,
    target: path + query,
    authority,
    rawHeaders: headers.flat(),
  }))
