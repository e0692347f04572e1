import type { Match } from '../resource/match-schema.ts'
import { regexOf } from './regex.ts'
import type { RequestHead } from './request.ts'
import { headerOf, hostOf, isGrpc, pathOf, personOf, queryOf } from './request-parts.ts'
import { stickyPercent } from './sticky-percent.ts'

/** `client` is the address that the request came from, without port. */
export type Matcher = (request: RequestHead, client: string) => boolean

type ValueTest = (value: string) => boolean

/**
 * Made once for an Intercept, asked for each request. Looks at nothing that the match does not name, the cheapest first.
 * @param salt what makes its percent independent of others': the Intercept's uid
 * @throws where a regex is not RE2 syntax; acceptance refuses such an Intercept before
 */
export function compileMatch(match: Match, salt: string): Matcher {
  const tests: Matcher[] = [...methods(match), ...paths(match), ...hosts(match), ...queries(match), ...grpc(match)]
  const { as } = match
  if (as !== undefined) tests.push((request) => personOf(request) === as)
  tests.push(...headers(match), ...percent(match, salt))
  const [only] = tests
  if (tests.length === 1 && only) return only
  return (request, client) => {
    for (const test of tests) if (!test(request, client)) return false
    return true
  }
}

function* methods({ methods }: Match): Generator<Matcher> {
  if (methods) yield ({ method }) => methods.includes(method)
}

function* paths({ paths }: Match): Generator<Matcher> {
  if (!paths) return
  const tests = paths.map(({ equals, prefix, regex }): ValueTest => {
    if (equals !== undefined) return (path) => path === equals
    if (prefix !== undefined) return (path) => path.startsWith(prefix)
    return valueTest(undefined, regex)
  })
  yield (request) => some(tests, pathOf(request))
}

function* hosts({ hosts }: Match): Generator<Matcher> {
  if (!hosts) return
  const tests = hosts.map((wanted): ValueTest => {
    const host = wanted.toLowerCase()
    if (!host.startsWith('*.')) return (sent) => sent === host
    const end = host.slice(1)
    return (sent) => sent.length > end.length && sent.endsWith(end)
  })
  yield (request) => some(tests, hostOf(request))
}

function* queries({ queries }: Match): Generator<Matcher> {
  if (!queries) return
  const tests = queries.map(({ name, equals, regex }): Matcher => {
    const test = valueTest(equals, regex)
    return (request) => {
      const value = queryOf(request, name)
      return value !== undefined && test(value)
    }
  })
  yield anyOf(tests)
}

function* headers({ headers }: Match): Generator<Matcher> {
  if (!headers) return
  const tests = headers.map((header): Matcher => {
    const name = header.name.toLowerCase()
    const test = valueTest(header.equals, header.regex)
    return (request) => {
      const value = headerOf(request, name)
      return value !== undefined && test(value)
    }
  })
  yield anyOf(tests)
}

function* grpc({ grpc }: Match): Generator<Matcher> {
  if (!grpc) return
  const tests = grpc.map(({ service, method }): ValueTest => {
    const start = `/${service}/`
    if (method !== undefined) return (path) => path === `${start}${method}`
    return (path) => path.startsWith(start)
  })
  yield (request) => request.method === 'POST' && some(tests, pathOf(request)) && isGrpc(request)
}

function* percent({ percent }: Match, salt: string): Generator<Matcher> {
  if (!percent) return
  const isIn = stickyPercent(percent.value, salt)
  const header = percent.header?.toLowerCase()
  yield (request, client) => isIn((header === undefined ? undefined : headerOf(request, header)) ?? plain(client))
}

/** A listener of both families shows IPv4 clients as mapped addresses. */
const plain = (client: string): string => (client.startsWith('::ffff:') ? client.slice(7) : client)

function valueTest(equals: string | undefined, regex: string | undefined): ValueTest {
  if (equals !== undefined) return (value) => value === equals
  if (regex === undefined) return () => true
  const compiled = regexOf(regex)
  return (value) => compiled.matches(value)
}

function some(tests: readonly ValueTest[], value: string): boolean {
  for (const test of tests) if (test(value)) return true
  return false
}

function anyOf(tests: readonly Matcher[]): Matcher {
  const [only] = tests
  if (tests.length === 1 && only) return only
  return (request, client) => {
    for (const test of tests) if (test(request, client)) return true
    return false
  }
}
