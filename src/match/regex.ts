import { RE2JS } from 're2js'
import { messageOf } from '../errors.ts'

/** A compiled regular expression. It takes time linear in the text, whatever a person has written. */
export interface Regex {
  readonly source: string
  /** Whether it matches the whole text, as in Envoy and in the Gateway API. */
  matches(text: string): boolean
}

const compiled = new Map<string, Regex>()
const maxCompiled = 512

/** @throws where it is not RE2 syntax: ask whyNotRegex before */
export function regexOf(source: string): Regex {
  const known = compiled.get(source)
  if (known) return known
  const program = RE2JS.compile(source)
  const regex: Regex = { source, matches: (text) => program.testExact(text) }
  // The rules of one Service are looked at again after each change of the cluster.
  if (compiled.size >= maxCompiled) compiled.clear()
  compiled.set(source, regex)
  return regex
}

/** Why RE2 does not take it; undefined where it does. */
export function whyNotRegex(source: string): string | undefined {
  try {
    regexOf(source)
    return undefined
  } catch (error) {
    return messageOf(error).replace(/^error parsing regexp:\s*/i, '')
  }
}
