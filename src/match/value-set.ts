import { regexOf } from './regex.ts'
import { type Literal, literalsOf } from './regex-literals.ts'

/** The values that a condition allows for one part of a request. */
export type ValueSet =
  | { readonly kind: 'any' }
  | { readonly kind: 'equals'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  /** Ends with it and is longer. */
  | { readonly kind: 'suffix'; readonly value: string }
  | { readonly kind: 'regex'; readonly source: string; readonly literals: readonly Literal[] }

export const any: ValueSet = { kind: 'any' }
export const equalTo = (value: string): ValueSet => ({ kind: 'equals', value })
export const startingWith = (value: string): ValueSet => ({ kind: 'prefix', value })
export const endingWith = (value: string): ValueSet => ({ kind: 'suffix', value })
export const matching = (source: string): ValueSet => ({ kind: 'regex', source, literals: literalsOf(source) })

export function contains(set: ValueSet, value: string): boolean {
  switch (set.kind) {
    case 'any':
      return true
    case 'equals':
      return value === set.value
    case 'prefix':
      return value.startsWith(set.value)
    case 'suffix':
      return value.length > set.value.length && value.endsWith(set.value)
    case 'regex':
      return regexOf(set.source).matches(value)
    default:
      return set satisfies never
  }
}

/** True only where no value is in both. False where that cannot be told: two regexes in general. */
export function areDisjoint(a: ValueSet, b: ValueSet): boolean {
  return literalsIn(a).every((one) => literalsIn(b).every((other) => areApart(one, a, other, b)))
}

function areApart(one: Literal, a: ValueSet, other: Literal, b: ValueSet): boolean {
  if (one.whole) return !contains(b, one.text)
  if (other.whole) return !contains(a, other.text)
  if (a.kind === 'suffix' && b.kind === 'suffix') return !a.value.endsWith(b.value) && !b.value.endsWith(a.value)
  return !one.text.startsWith(other.text) && !other.text.startsWith(one.text)
}

function literalsIn(set: ValueSet): readonly Literal[] {
  switch (set.kind) {
    case 'equals':
      return [{ text: set.value, whole: true }]
    case 'prefix':
      return [{ text: set.value, whole: false }]
    case 'regex':
      return set.literals
    case 'any':
    case 'suffix':
      return [{ text: '', whole: false }]
    default:
      return set satisfies never
  }
}

/** A value that is in all of them, for an example; undefined where none is found at once. */
export function commonValue(sets: readonly ValueSet[], usual: readonly string[]): string | undefined {
  const candidates = function* (): Generator<string> {
    for (const set of sets) if (set.kind === 'equals') yield set.value
    yield* usual
    for (const set of sets) {
      if (set.kind === 'suffix') yield `a${set.value}`
      for (const { text } of literalsIn(set)) {
        yield text
        for (const tail of tails) yield text + tail
      }
    }
  }
  for (const candidate of candidates()) if (sets.every((set) => contains(set, candidate))) return candidate
  return undefined
}

/** What people's regexes go on with, most often. */
const tails = [
  '1',
  'a',
  '/',
  '/1',
  '/a',
  '1/a',
  'a/a',
  'a1',
  '0',
  '12',
  'ab',
  'A',
  '-1',
  '-a',
  '.a',
  'a.a',
  '=1',
  'true',
]
