import type { Match } from '../resource/match-schema.ts'
import { PERSONAL_HEADER, personInHeader } from './request-parts.ts'
import { any, endingWith, equalTo, matching, startingWith, type ValueSet } from './value-set.ts'

/** A part of a request that conditions speak of: 'method', 'path', 'host', 'person', 'header x-user', 'query limit'. */
export type Part = string

/** What one entry of a match says, as values of parts, all of them together. */
export type Condition = ReadonlyMap<Part, ValueSet>

/** One of these has to hold. */
export type Clause = readonly Condition[]

/** A match without its percent: all clauses together. Everything that is stated is implied by the match. */
export function clausesOf(match: Match | undefined): Clause[] {
  if (!match) return []
  const { as, headers, paths, methods, queries, hosts, grpc } = match
  const clauses: (Clause | undefined)[] = [
    as === undefined ? undefined : [new Map([['person', equalTo(as)]])],
    methods?.map((method) => new Map([['method', equalTo(method)]])),
    paths?.map(({ equals, prefix, regex }) => new Map([['path', pathSet(equals, prefix, regex)]])),
    hosts?.map((host) => new Map([['host', hostSet(host.toLowerCase())]])),
    queries?.map(({ name, equals, regex }) => new Map([[`query ${name}`, valueSet(equals, regex)]])),
    grpc?.map(({ service, method }) => grpcCondition(service, method)),
    headers?.map(({ name, equals, regex }) => headerCondition(name.toLowerCase(), equals, regex)),
  ]
  return clauses.filter((clause) => clause !== undefined)
}

const valueSet = (equals: string | undefined, regex: string | undefined): ValueSet =>
  equals !== undefined ? equalTo(equals) : regex === undefined ? any : matching(regex)

const pathSet = (equals: string | undefined, prefix: string | undefined, regex: string | undefined): ValueSet =>
  prefix === undefined ? valueSet(equals, regex) : startingWith(prefix)

const hostSet = (host: string): ValueSet => (host.startsWith('*.') ? endingWith(host.slice(1)) : equalTo(host))

function headerCondition(name: string, equals: string | undefined, regex: string | undefined): Condition {
  const condition = new Map([[`header ${name}`, valueSet(equals, regex)]])
  // The header alone decides whose the request is.
  if (name === PERSONAL_HEADER && equals !== undefined) condition.set('person', equalTo(personInHeader(equals)))
  return condition
}

function grpcCondition(service: string, method: string | undefined): Condition {
  const path = `/${service}/`
  return new Map([
    ['method', equalTo('POST')],
    ['path', method === undefined ? startingWith(path) : equalTo(path + method)],
    ['header content-type', startingWith('application/grpc')],
  ])
}
