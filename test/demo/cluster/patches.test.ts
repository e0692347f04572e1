import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../cli/demo/cluster/api-error.ts'
import { sameJson } from '../../../cli/demo/cluster/json.ts'
import { jsonPatch } from '../../../cli/demo/cluster/store/json-patch.ts'
import { mergePatch } from '../../../cli/demo/cluster/store/merge-patch.ts'
import { builtInShape } from '../../../cli/demo/cluster/store/shape.ts'
import { strategicPatch } from '../../../cli/demo/cluster/store/strategic-patch.ts'

describe('merge patch', () => {
  // The table of RFC 7386, appendix A.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j + %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result)
  })

  test('applied twice it changes nothing more, and its arguments stay', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const before = JSON.stringify([target, patch])
        const once = mergePatch(target, patch)
        expect(sameJson(mergePatch(once, patch), once)).toBe(true)
        expect(JSON.stringify([target, patch])).toBe(before)
      }),
    )
  })
})

describe('JSON patch', () => {
  const document = { a: { b: [1, 2, 3] }, 'x/y': { '~': 1 } }

  test.each([
    [[{ op: 'add', path: '/a/b/1', value: 9 }], { b: [1, 9, 2, 3] }],
    [[{ op: 'add', path: '/a/b/-', value: 9 }], { b: [1, 2, 3, 9] }],
    [[{ op: 'remove', path: '/a/b/0' }], { b: [2, 3] }],
    [[{ op: 'replace', path: '/a/b', value: 'z' }], { b: 'z' }],
    [[{ op: 'move', from: '/a/b/0', path: '/a/c' }], { b: [2, 3], c: 1 }],
    [[{ op: 'copy', from: '/x~1y/~0', path: '/a/c' }], { b: [1, 2, 3], c: 1 }],
    [
      [
        { op: 'test', path: '/a/b/2', value: 3 },
        { op: 'remove', path: '/a/b' },
      ],
      {},
    ],
  ])('%j', (patch, result) => {
    expect(jsonPatch(document, patch)).toMatchObject({ a: result })
    expect(document.a.b).toEqual([1, 2, 3])
  })

  test.each([
    [[{ op: 'remove', path: '/a/none' }]],
    [[{ op: 'replace', path: '/a/none', value: 1 }]],
    [[{ op: 'test', path: '/a/b/0', value: 2 }]],
    [[{ op: 'add', path: '/a/b/7', value: 2 }]],
    [[{ op: 'add', path: 'a', value: 2 }]],
    [[{ op: 'jump', path: '/a' }]],
    [{}],
  ])('%j is refused', (patch) => {
    expect(() => jsonPatch(document, patch)).toThrow(ApiError)
  })
})

describe('strategic merge patch', () => {
  const service = builtInShape('services')
  const live = {
    metadata: { finalizers: ['a'] },
    spec: {
      ports: [
        { port: 80, name: 'http' },
        { port: 81, name: 'admin' },
      ],
      selector: { app: 'x' },
      externalIPs: ['1.1.1.1'],
    },
  }

  test('merges ports by port, maps by key, sets by value, and replaces other lists', () => {
    const patch = {
      metadata: { finalizers: ['b'] },
      spec: { ports: [{ port: 80, targetPort: 8080 }], selector: { held: 'yes' }, externalIPs: ['2.2.2.2'] },
    }
    expect(strategicPatch(live, patch, service)).toEqual({
      metadata: { finalizers: ['a', 'b'] },
      spec: {
        ports: [
          { port: 80, name: 'http', targetPort: 8080 },
          { port: 81, name: 'admin' },
        ],
        selector: { app: 'x', held: 'yes' },
        externalIPs: ['2.2.2.2'],
      },
    })
  })

  test('directives: delete an item, replace a map, order items, retain keys', () => {
    const deleted = strategicPatch(live, { spec: { ports: [{ port: 80, $patch: 'delete' }] } }, service)
    expect(deleted).toMatchObject({ spec: { ports: [{ port: 81 }] } })
    const replaced = strategicPatch(live, { spec: { selector: { $patch: 'replace', only: 'me' } } }, service)
    expect(replaced).toMatchObject({ spec: { selector: { only: 'me' } } })
    const ordered = strategicPatch(
      live,
      { spec: { '$setElementOrder/ports': [{ port: 82 }, { port: 81 }], ports: [{ port: 82 }] } },
      service,
    ) as typeof live
    expect(ordered.spec.ports.map(({ port }) => port)).toEqual([82, 81, 80])
    const removed = strategicPatch(live, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }, service)
    expect(removed).toMatchObject({ metadata: { finalizers: [] } })
    const retained = strategicPatch(
      { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: {} } } },
      { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      builtInShape('deployments.apps'),
    )
    expect(retained).toEqual({ spec: { strategy: { type: 'Recreate' } } })
  })

  test('an item without its merge key is refused', () => {
    expect(() => strategicPatch(live, { spec: { ports: [{ name: 'x' }] } }, service)).toThrow(
      'does not contain declared merge key: port',
    )
  })
})
