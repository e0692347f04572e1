import { describe, expect, test } from 'vitest'
import { applyDefaults } from '../../../cli/demo/cluster/custom/apply-defaults.ts'
import { jsonPath } from '../../../cli/demo/cluster/custom/json-path.ts'
import { prune } from '../../../cli/demo/cluster/custom/prune.ts'
import type { Schema } from '../../../cli/demo/cluster/custom/schema.ts'
import { validateValue } from '../../../cli/demo/cluster/custom/validate.ts'
import { validateRules } from '../../../cli/demo/cluster/custom/validate-rules.ts'

const schema: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 2, pattern: '^[a-z]+$' },
    size: { type: 'integer', minimum: 1, maximum: 9, default: 3 },
    port: { 'x-kubernetes-int-or-string': true },
    since: { type: 'string', format: 'date-time' },
    tags: {
      type: 'array',
      maxItems: 2,
      items: { type: 'string', enum: ['a', 'b', 'c'] },
      'x-kubernetes-list-type': 'set',
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    inner: { type: 'object', properties: { on: { type: 'boolean', default: true } } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    gone: { type: 'string', nullable: true },
  },
}

test('pruning keeps what the schema knows and names the rest', () => {
  const value = { name: 'ab', nope: 1, inner: { on: false, off: 1 }, free: { any: { thing: 1 } }, labels: { x: 'y' } }
  expect(prune(value, schema, '')).toEqual(['nope', 'inner.off'])
  expect(value).toEqual({ name: 'ab', inner: { on: false }, free: { any: { thing: 1 } }, labels: { x: 'y' } })
})

test('defaults fill what is missing, at any depth, but do not create parents', () => {
  const value: Record<string, unknown> = { name: 'ab', inner: {} }
  applyDefaults(value, schema)
  expect(value).toEqual({ name: 'ab', size: 3, inner: { on: true } })
})

describe('validation', () => {
  test.each([
    [{ name: 'ab', port: 'http', size: 9, tags: ['a', 'b'], since: '2026-01-02T03:04:05Z', gone: null }, []],
    [{}, ['name: Required value']],
    [{ name: 'a' }, [`name: Invalid value: "a": name in body should be at least 2 chars long`]],
    [{ name: 'AB' }, [`name: Invalid value: "AB": name in body should match '^[a-z]+$'`]],
    [{ name: 'ab', size: '3' }, ['size: Invalid value: "string": size in body must be of type integer: "string"']],
    [{ name: 'ab', size: 0 }, ['size: Invalid value: 0: size in body should be greater than or equal to 1']],
    [{ name: 'ab', size: 10 }, ['size: Invalid value: 10: size in body should be less than or equal to 9']],
    [{ name: 'ab', tags: ['a', 'z'] }, ['tags[1]: Unsupported value: "z": supported values: "a", "b", "c"']],
    [{ name: 'ab', tags: ['a', 'a'] }, ['tags[1]: Duplicate value: "a"']],
    [{ name: 'ab', tags: ['a', 'b', 'c'] }, ['tags: Too many: 3: must have at most 2 items']],
    [
      { name: 'ab', labels: { x: 1 } },
      ['labels.x: Invalid value: "integer": labels.x in body must be of type string: "integer"'],
    ],
    [
      { name: 'ab', since: 'today' },
      ['since: Invalid value: "today": since in body must be of type date-time: "today"'],
    ],
  ])('%j', (value, errors) => {
    expect(validateValue(value, schema, '').map(({ field, message }) => `${field}: ${message}`)).toEqual(errors)
  })
})

describe('CEL rules', () => {
  const ruled = (...rules: NonNullable<Schema['x-kubernetes-validations']>): Schema => ({
    type: 'object',
    'x-kubernetes-validations': rules,
  })
  const check = (value: unknown, old: unknown, rule: Schema) =>
    validateRules(value, old, rule, 'spec').map(({ message }) => message)

  test.each([
    ['self.size > 2', { size: 3 }, []],
    ['self.size > 2', { size: 1 }, ['Invalid value: "object": failed rule: self.size > 2']],
    [
      '!has(self.a) || self.a.startsWith("x")',
      { a: 'y' },
      ['Invalid value: "object": failed rule: !has(self.a) || self.a.startsWith("x")'],
    ],
    ['self.list.all(item, item in ["a", "b"])', { list: ['a', 'b'] }, []],
    ['self.list.exists_one(item, item.port == 80)', { list: [{ port: 80 }, { port: 81 }] }, []],
    ['size(self.list) <= 1', { list: [1, 2] }, ['Invalid value: "object": failed rule: size(self.list) <= 1']],
  ])('%s on %j', (rule, value, messages) => {
    expect(check(value, undefined, ruled({ rule }))).toEqual(messages)
  })

  test('rules about the old value hold on updates only, and say what they are told to say', () => {
    const rule = ruled({ rule: 'self.id == oldSelf.id', messageExpression: "'id was ' + oldSelf.id" })
    expect(check({ id: 'b' }, undefined, rule)).toEqual([])
    expect(check({ id: 'a' }, { id: 'a' }, rule)).toEqual([])
    expect(check({ id: 'b' }, { id: 'a' }, rule)).toEqual(['Invalid value: "object": id was a'])
  })

  test('a rule that cannot be evaluated refuses', () => {
    expect(check({}, undefined, ruled({ rule: 'self.none.deep == 1' }))[0]).toContain('rule evaluation error')
  })
})

test.each([
  ['.spec.ports[*].port', '80,81'],
  ['.spec.ports[0].name', 'http'],
  ['.status.conditions[?(@.type=="Ready")].status', 'True'],
  [".metadata.annotations['a\\.b/c']", 'x'],
  ['.metadata.annotations.a\\.b/c', 'x'],
  ['.spec.none.deep', undefined],
])('jsonPath %s', (path, found) => {
  const object = {
    metadata: { annotations: { 'a.b/c': 'x' } },
    spec: { ports: [{ port: 80, name: 'http' }, { port: 81 }] },
    status: {
      conditions: [
        { type: 'Seen', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
    },
  }
  expect(jsonPath(object, path)).toEqual(found)
})
