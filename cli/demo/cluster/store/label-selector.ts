import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, listOf, stringOf } from '../json.ts'

type Labels = Readonly<Record<string, string>>
export type LabelSelector = (labels: Labels | undefined) => boolean

interface Requirement {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt'
  readonly values: readonly string[]
}

/** Parses the selector of a list or watch (`a=b,c in (d,e),!f,g>1`). Throws BadRequest as the API server does. */
export function parseLabelSelector(text: string): LabelSelector {
  const tokens = text.match(/\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/g)?.map((token) => token.trim()) ?? []
  const requirements: Requirement[] = []
  let at = 0
  const expected = (wanted: string): never => {
    throw ApiError.badRequest(`unable to parse requirement: found '${tokens[at] ?? ''}' expected: ${wanted}`)
  }
  const word = (wanted: string): string => {
    const token = tokens[at]
    if (token === undefined || /^[=!(),<>]/.test(token)) return expected(wanted)
    at += 1
    return token
  }
  const value = (): string => {
    const token = tokens[at]
    if (token === undefined || token === ',') return ''
    return word('identifier')
  }
  const set = (): string[] => {
    if (tokens[at] !== '(') expected("'('")
    at += 1
    const values: string[] = []
    for (;;) {
      if (tokens[at] === ')' || tokens[at] === ',') values.push('')
      else values.push(word("',', ')' or identifier"))
      const separator = tokens[at]
      at += 1
      if (separator === ')') return values
      if (separator !== ',') {
        at -= 1
        expected("',' or ')'")
      }
    }
  }
  const requirement = (): Requirement => {
    if (tokens[at] === '!') {
      at += 1
      return { key: word('identifier'), operator: 'absent', values: [] }
    }
    const key = word("!, identifier, or 'end of string'")
    const operator = tokens[at]
    if (operator === undefined || operator === ',') return { key, operator: 'exists', values: [] }
    at += 1
    switch (operator) {
      case '=':
      case '==':
        return { key, operator: 'in', values: [value()] }
      case '!=':
        return { key, operator: 'notin', values: [value()] }
      case 'in':
        return { key, operator: 'in', values: set() }
      case 'notin':
        return { key, operator: 'notin', values: set() }
      case '>':
        return { key, operator: 'gt', values: [word('identifier')] }
      case '<':
        return { key, operator: 'lt', values: [word('identifier')] }
      default:
        at -= 1
        return expected('in, notin, =, ==, !=, gt, lt')
    }
  }
  while (at < tokens.length) {
    requirements.push(requirement())
    if (at < tokens.length) {
      if (tokens[at] !== ',') expected("',' or 'end of string'")
      at += 1
    }
  }
  return (labels) => requirements.every((each) => meets(each, labels ?? {}))
}

/** The selector of an object: `matchLabels` and `matchExpressions`. An empty one matches everything, undefined nothing. */
export function objectSelector(selector: unknown): LabelSelector {
  if (selector === undefined || selector === null) return () => false
  const { matchLabels, matchExpressions } = dictOf(selector)
  const requirements: Requirement[] = Object.entries(dictOf(matchLabels)).map(([key, label]) => ({
    key,
    operator: 'in',
    values: [String(label)],
  }))
  const operators: Record<string, Requirement['operator']> = {
    In: 'in',
    NotIn: 'notin',
    Exists: 'exists',
    DoesNotExist: 'absent',
  }
  for (const expression of listOf(matchExpressions) as Dict[]) {
    const operator = operators[stringOf(expression.operator) ?? '']
    if (!operator) return () => false
    requirements.push({ key: String(expression.key), operator, values: listOf(expression.values).map(String) })
  }
  return (labels) => requirements.every((each) => meets(each, labels ?? {}))
}

/** A Service's selector: every pair is there. */
export function includesLabels(labels: Labels | undefined, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value)
}

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const present = Object.hasOwn(labels, key)
  const label = labels[key] ?? ''
  switch (operator) {
    case 'in':
      return present && values.includes(label)
    case 'notin':
      return !present || !values.includes(label)
    case 'exists':
      return present
    case 'absent':
      return !present
    case 'gt':
      return present && Number(label) > Number(values[0])
    case 'lt':
      return present && Number(label) < Number(values[0])
  }
}
