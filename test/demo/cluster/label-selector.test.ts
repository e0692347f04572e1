import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../cli/demo/cluster/api-error.ts'
import { includesLabels, objectSelector, parseLabelSelector } from '../../../cli/demo/cluster/store/label-selector.ts'

const labels = { app: 'web', tier: 'front', age: '7', empty: '' }

describe('parseLabelSelector', () => {
  test.each([
    ['', true],
    ['app', true],
    ['!app', false],
    ['!gone', true],
    ['app=web', true],
    ['app==web,tier=front', true],
    ['app=web, tier!=front', false],
    ['gone!=x', true],
    ['empty=', true],
    ['app in (web,api)', true],
    ['app notin (web, api)', false],
    ['gone notin (x)', true],
    ['age>6,age<8', true],
    ['age>7', false],
    ['a.b/c-d_e!=x', true],
  ])('%s', (text, matches) => {
    expect(parseLabelSelector(text)(labels)).toBe(matches)
  })

  test.each(['a in b', 'a in (b', '=x', 'a,,b', 'a=b c', '!'])('%s is refused with 400', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(ApiError)
  })

  test('no text makes it hang or throw anything else', () => {
    const piece = fc.constantFrom('a', 'b', ' in ', ' notin ', '(', ')', ',', '=', '!', '!=', '>', ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          expect(typeof parseLabelSelector(pieces.join(''))(labels)).toBe('boolean')
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError)
        }
      }),
    )
  })
})

test('objectSelector: an empty one matches all, none matches nothing', () => {
  expect(objectSelector({})(undefined)).toBe(true)
  expect(objectSelector(undefined)(labels)).toBe(false)
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front', 'back'] },
      { key: 'gone', operator: 'DoesNotExist' },
    ],
  }
  expect(objectSelector(selector)(labels)).toBe(true)
  expect(objectSelector(selector)({ ...labels, gone: '1' })).toBe(false)
})

test('includesLabels wants every pair', () => {
  expect(includesLabels(labels, { app: 'web', tier: 'front' })).toBe(true)
  expect(includesLabels(labels, { app: 'web', held: 'yes' })).toBe(false)
  expect(includesLabels(undefined, { app: 'web' })).toBe(false)
})
