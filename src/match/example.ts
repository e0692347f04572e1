import type { Clause, Condition, Part } from './conditions.ts'
import type { RequestHead } from './request.ts'
import { PERSONAL_HEADER } from './request-parts.ts'
import { areDisjoint, commonValue, type ValueSet } from './value-set.ts'

type Wanted = ReadonlyMap<Part, readonly ValueSet[]>

/** Ways through the entries of the lists that are tried before giving up; each costs some tens of comparisons. */
const maxTries = 500

/** A request that fulfils an entry of every clause and that `isRight` confirms; undefined where none was found. */
export function exampleOf(
  clauses: readonly Clause[],
  isRight: (request: RequestHead) => boolean,
): RequestHead | undefined {
  let tries = 0
  const search = (index: number, wanted: Wanted): RequestHead | undefined => {
    const clause = clauses[index]
    if (!clause) {
      const request = requestOf(wanted)
      return request && isRight(request) ? request : undefined
    }
    for (const condition of clause) {
      if (tries++ >= maxTries) return undefined
      const both = joined(wanted, condition)
      const found = both && search(index + 1, both)
      if (found) return found
    }
    return undefined
  }
  return search(0, new Map())
}

/** Undefined where the condition excludes what is wanted already. */
function joined(wanted: Wanted, condition: Condition): Wanted | undefined {
  const both = new Map(wanted)
  for (const [part, set] of condition) {
    const before = both.get(part) ?? []
    if (before.some((other) => areDisjoint(other, set))) return undefined
    both.set(part, [...before, set])
  }
  return both
}

function requestOf(wanted: Wanted): RequestHead | undefined {
  const value = (part: Part, ...usual: string[]): string | undefined => commonValue(wanted.get(part) ?? [], usual)
  const person = wanted.has('person') ? value('person') : undefined
  const headers = new Map<string, string>()
  const queries: string[] = []
  for (const part of wanted.keys()) {
    const [kind, name] = split(part)
    if (name === undefined) continue
    const found = value(part, ...(name === PERSONAL_HEADER && person !== undefined ? [person] : []), '1')
    if (found === undefined) return undefined
    if (kind === 'header') headers.set(name, found)
    else queries.push(`${encodeURIComponent(name)}=${encodeURIComponent(found)}`)
  }
  if (person !== undefined && !headers.has(PERSONAL_HEADER)) headers.set(PERSONAL_HEADER, person)
  const method = value('method', 'GET')
  const path = value('path', '/')
  const authority = wanted.has('host') ? value('host') : ''
  if (method === undefined || path === undefined || authority === undefined) return undefined
  return {
    method,
    target: queries.length > 0 ? `${path}?${queries.join('&')}` : path,
    authority,
    rawHeaders: [...headers].flat(),
  }
}

function split(part: Part): [kind: string, name: string | undefined] {
  const space = part.indexOf(' ')
  return space < 0 ? [part, undefined] : [part.slice(0, space), part.slice(space + 1)]
}
