/** What every text that an alternative of a regex matches begins with; `whole`: it matches that text and no other. */
export interface Literal {
  readonly text: string
  readonly whole: boolean
}

const anything: readonly Literal[] = [{ text: '', whole: false }]
const special = new Set('\\.+*?()|[]{}^$')

/**
 * One literal for each alternative at the top level of an RE2 expression that matches whole values. Never claims more
 * than is true; what it does not understand begins with ''.
 */
export function literalsOf(source: string): readonly Literal[] {
  // Flags change what letters mean, up to the end of a group; \Q quotes what looks like syntax.
  if (/\(\?(?!:|P?<)/.test(source) || source.includes('\\Q')) return anything
  const alternatives = topLevelAlternatives(source)
  return alternatives === undefined ? anything : alternatives.map(literalOf)
}

function topLevelAlternatives(source: string): string[] | undefined {
  const alternatives: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < source.length; at++) {
    const char = source[at]
    if (char === '\\') at++
    else if (char === '[') {
      const end = classEnd(source, at)
      if (end === undefined) return undefined
      at = end
    } else if (char === '(') depth++
    else if (char === ')') depth--
    else if (char === '|' && depth === 0) {
      alternatives.push(source.slice(start, at))
      start = at + 1
    }
  }
  return depth === 0 ? [...alternatives, source.slice(start)] : undefined
}

/** Index of the bracket that ends the class; a bracket that comes first is one of its characters. */
function classEnd(source: string, open: number): number | undefined {
  let at = open + 1
  if (source[at] === '^') at++
  if (source[at] === ']') at++
  for (; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source.startsWith('[:', at)) {
      const end = source.indexOf(':]', at)
      if (end < 0) return undefined
      at = end + 1
    } else if (source[at] === ']') return at
  }
  return undefined
}

function literalOf(alternative: string): Literal {
  const chars = [...alternative]
  let text: string[] = []
  let at = chars[0] === '^' ? 1 : 0
  while (at < chars.length) {
    const char = chars[at] as string
    const escaped = char === '\\' ? chars[at + 1] : undefined
    if (escaped !== undefined && special.has(escaped)) at += 2
    else if (escaped !== undefined && /[-/_~@#&=:;,<>!%'" `]/.test(escaped)) at += 2
    else if (!special.has(char)) at += 1
    else break
    text.push(escaped ?? char)
  }
  const rest = chars.slice(at).join('')
  if (rest === '' || rest === '$') return { text: text.join(''), whole: true }
  // The quantifier belongs to the character before it.
  if (/^[*?{]/.test(rest)) text = text.slice(0, -1)
  return { text: text.join(''), whole: false }
}
