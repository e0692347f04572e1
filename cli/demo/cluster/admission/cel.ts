import { Environment } from '@marcbachmann/cel-js'
import { messageOf } from '../../../../src/errors.ts'
import { isDict } from '../json.ts'
import { CelAccessCheck, CelAuthorizer, CelDecision } from './cel-authorizer.ts'

export interface RuleOutcome {
  readonly value: unknown
  /** Why it could not be evaluated. */
  readonly error: string | undefined
}

type Program = (variables: Record<string, unknown>) => unknown

const programs = new Map<string, Program>()
const maxPrograms = 2_000

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
})
  .registerType('Decision', { ctor: CelDecision, fields: {} })
  .registerType('AccessCheck', { ctor: CelAccessCheck, fields: {} })
  .registerType('Authorizer', { ctor: CelAuthorizer, fields: { requestResource: 'AccessCheck' } })
  .registerFunction(
    'Authorizer.group(string): AccessCheck',
    (self: CelAuthorizer, group: string) => new CelAccessCheck(self.allows, { group }),
  )
  .registerFunction(
    'Authorizer.path(string): AccessCheck',
    (self: CelAuthorizer, path: string) => new CelAccessCheck(self.allows, { path }),
  )
  .registerFunction(
    'AccessCheck.check(string): Decision',
    (self: CelAccessCheck, verb: string) => new CelDecision(self.allows(verb, self.asked)),
  )
  .registerFunction('Decision.allowed(): bool', (self: CelDecision) => self.allowed)
  .registerFunction('Decision.reason(): string', () => '')
  .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.replaceAll(from, to),
  )
  .registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => new RegExp(pattern, 'u').exec(text)?.[0] ?? '',
  )
for (const part of ['resource', 'subresource', 'namespace', 'name']) {
  environment.registerFunction(`AccessCheck.${part}(string): AccessCheck`, (self: CelAccessCheck, value: string) =>
    self.with({ [part]: value }),
  )
}

/** Evaluates a CEL expression as rules of custom resources and admission policies use it. Never throws. */
export function evaluateRule(expression: string, variables: Record<string, unknown>): RuleOutcome {
  try {
    let program = programs.get(expression)
    if (!program) {
      program = environment.parse(expression) as Program
      if (programs.size >= maxPrograms) programs.clear()
      programs.set(expression, program)
    }
    return { value: program(toCel(variables) as Record<string, unknown>), error: undefined }
  } catch (error) {
    return { value: undefined, error: messageOf(error).split('\n')[0] }
  }
}

/** JSON numbers that are whole are `int` in CEL, a bigint in this library. */
function toCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toCel)
  if (!isDict(value) || value instanceof CelAuthorizer) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, toCel(child)]))
}
