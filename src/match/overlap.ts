import type { Match } from '../resource/match-schema.ts'
import { compileMatch } from './compile.ts'
import { type Clause, type Condition, clausesOf } from './conditions.ts'
import { describeMatch } from './describe.ts'
import { exampleOf } from './example.ts'
import type { RequestHead } from './request.ts'
import { areDisjoint } from './value-set.ts'

/** Two matches that are not known to be apart. */
export interface Overlap {
  /** A request that both match (those of its clients that both have in their percent); undefined where none was found. */
  readonly example: RequestHead | undefined
  /** For people: 'both match GET /orders with x-user: ada', or what cannot be told. */
  readonly reason: string
}

/**
 * Undefined only where no request can match both: in some dimension, every entry of the one excludes every entry of the
 * other. A percent excludes nothing. Undefined as a match is everything.
 */
export function overlapOf(a: Match | undefined, b: Match | undefined): Overlap | undefined {
  const [ours, theirs] = [clausesOf(a), clausesOf(b)]
  if (ours.some((one) => theirs.some((other) => areClausesDisjoint(one, other)))) return undefined
  const example = exampleOf([...ours, ...theirs], (request) => matchesApart(a, request) && matchesApart(b, request))
  const reason = example
    ? `both match ${describeRequest(example)}`
    : `cannot prove that no request matches both '${describeMatch(a)}' and '${describeMatch(b)}'`
  return { example, reason }
}

const areClausesDisjoint = (a: Clause, b: Clause): boolean =>
  a.every((one) => b.every((other) => areConditionsDisjoint(one, other)))

function areConditionsDisjoint(a: Condition, b: Condition): boolean {
  for (const [part, set] of a) {
    const other = b.get(part)
    if (other && areDisjoint(set, other)) return true
  }
  return false
}

/** Apart from its percent. */
function matchesApart(match: Match | undefined, request: RequestHead): boolean {
  if (!match) return true
  const { percent: _percent, ...rest } = match
  return compileMatch(rest, '')(request, '')
}

/** 'GET /orders?a=1 with x-user: ada' */
export function describeRequest({ method, target, authority, rawHeaders }: RequestHead): string {
  const headers: string[] = authority === '' ? [] : [`host: ${authority}`]
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`)
  }
  return `${method} ${target}${headers.length > 0 ? ` with ${headers.join(', ')}` : ''}`
}
