import type { Match } from '../resource/match-schema.ts'
import { overlapOf } from './overlap.ts'

/**
 * What a person could ask for instead of `wanted`, so that it shares no request with those that are taken; undefined
 * where nothing simple does, as beside one that takes everything. Tried: her name, then a value of her own for what the
 * others look at.
 */
export function wayAround(
  wanted: Match | undefined,
  taken: readonly (Match | undefined)[],
  person: string,
): Match | undefined {
  const own = person
    .replace(/^.*[/:\\]/, '')
    .replace(/@.*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
  const name = own === '' ? 'me' : own
  const works = (candidate: Match): boolean => taken.every((other) => overlapOf(candidate, other) === undefined)
  const candidates = function* (): Generator<Match> {
    yield { ...wanted, as: name }
    yield { ...wanted, as: `${name.slice(0, 61)}-2` }
    for (const { headers = [] } of taken.filter((other) => other !== undefined)) {
      for (const header of headers) yield { ...wanted, headers: [{ name: header.name, equals: name }] }
    }
  }
  for (const candidate of candidates()) if (works(candidate)) return candidate
  return undefined
}
