import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromFieldsV1, leavesOf, toFieldsV1 } from '../../../cli/demo/cluster/apply/field-set.ts'
import { trackUpdate } from '../../../cli/demo/cluster/apply/managed-fields.ts'
import { applyConfig } from '../../../cli/demo/cluster/apply/server-side-apply.ts'
import { type Dict, dictOf, sameJson } from '../../../cli/demo/cluster/json.ts'
import { builtInShape } from '../../../cli/demo/cluster/store/shape.ts'

const shape = builtInShape('services')
const manager = (name: string) => ({ name, operation: 'Apply' as const, apiVersion: 'v1', subresource: undefined })
const service = (spec: Dict, labels: Dict = {}): Dict => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', labels },
  spec,
})
const applyBy = (live: Dict, name: string, config: Dict, force = false) =>
  applyConfig(live, config, shape, manager(name), force)

test('fields are named as Kubernetes names them', () => {
  const config = service({ selector: { app: 'a' }, ports: [{ port: 80, name: 'http' }] }, { x: '1' })
  expect(toFieldsV1(new Set(leavesOf(config, shape).keys()))).toEqual({
    'f:metadata': { 'f:labels': { 'f:x': {} } },
    'f:spec': {
      'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
      'f:selector': {},
    },
  })
})

test('FieldsV1 survives writing and reading', () => {
  const port = fc.record({
    port: fc.integer({ min: 1, max: 9 }),
    protocol: fc.constantFrom('TCP', 'UDP'),
    name: fc.string(),
  })
  const objects = fc.record({
    metadata: fc.record({ labels: fc.dictionary(fc.string(), fc.string()), finalizers: fc.uniqueArray(fc.string()) }),
    spec: fc.record({
      ports: fc.uniqueArray(port, { selector: (each) => `${each.port}${each.protocol}` }),
      selector: fc.dictionary(fc.string(), fc.string()),
    }),
  })
  fc.assert(
    fc.property(objects, (object) => {
      const fields = new Set([...leavesOf(object, shape).keys()].filter((path) => !path.slice(1).includes('\n\n')))
      fc.pre(![...fields].some((path) => /f:[^\n]*\n(?![fkv]:)/.test(path)))
      expect([...fromFieldsV1(toFieldsV1(fields))].sort()).toEqual([...fields].sort())
    }),
  )
})

describe('apply', () => {
  test('two managers own what they applied; each can take back only its own', () => {
    let live = applyBy({}, 'a', service({ ports: [{ port: 80, name: 'http' }] }, { one: '1', both: 'x' }))
    live = applyBy(live, 'b', service({ ports: [{ port: 81, name: 'admin' }] }, { two: '2', both: 'x' }))
    expect(dictOf(live.spec).ports).toHaveLength(2)
    live = applyBy(live, 'a', service({}, {}))
    expect(live.spec).toEqual({ ports: [{ port: 81, name: 'admin' }] })
    expect(dictOf(live.metadata).labels).toEqual({ two: '2', both: 'x' })
  })

  test('a field that another manager owns with another value is a conflict, with the same value it is shared', () => {
    const live = applyBy({}, 'a', service({ type: 'ClusterIP' }))
    expect(() => applyBy(live, 'b', service({ type: 'NodePort' }))).toThrow(
      'Apply failed with 1 conflict: conflict with "a" using v1: .spec.type',
    )
    const shared = applyBy(live, 'b', service({ type: 'ClusterIP' }))
    const left = applyBy(shared, 'a', service({}))
    expect(dictOf(left.spec).type).toBe('ClusterIP')
    const forced = applyBy(shared, 'b', service({ type: 'NodePort' }), true)
    expect(dictOf(forced.spec).type).toBe('NodePort')
    // a does not own it any more, so that not applying it removes nothing.
    expect(dictOf(applyBy(forced, 'a', service({})).spec).type).toBe('NodePort')
  })

  test('an update takes fields over, and an apply that wants the old value conflicts', () => {
    const live = applyBy({}, 'a', service({ selector: { app: 'a' } }))
    const changed: Dict = { ...live, spec: { selector: { app: 'a', held: 'yes' } } }
    const managedFields = trackUpdate(dictOf(live.metadata).managedFields, live, changed, shape, {
      name: 'x',
      operation: 'Update',
      apiVersion: 'v1',
      subresource: undefined,
    })
    const tracked = { ...changed, metadata: { ...dictOf(live.metadata), managedFields } }
    expect(() => applyBy(tracked, 'a', service({ selector: { app: 'a' } }))).toThrow(
      'conflict with "x" using v1: .spec.selector',
    )
  })

  test('applying the same again changes nothing, and live is never changed in place', () => {
    const port = fc.record({ port: fc.integer({ min: 1, max: 4 }), name: fc.constantFrom('a', 'b') })
    const configs = fc.record({
      ports: fc.uniqueArray(port, { selector: (each) => each.port }),
      type: fc.constantFrom('x', 'y'),
    })
    const steps = fc.array(fc.record({ by: fc.constantFrom('a', 'b'), spec: configs }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(steps, (all) => {
        let live: Dict = {}
        for (const { by, spec } of all) {
          const before = JSON.stringify(live)
          const next = applyBy(live, by, service(spec), true)
          expect(JSON.stringify(live)).toBe(before)
          const again = applyBy(next, by, service(spec), true)
          expect(sameJson({ ...again, metadata: 0 }, { ...next, metadata: 0 })).toBe(true)
          for (const wanted of spec.ports)
            expect(dictOf(next.spec).ports).toContainEqual(expect.objectContaining(wanted))
          live = next
        }
        // Whoever applied last owns its ports; both empty-handed, none is left.
        live = applyBy(applyBy(live, 'a', service({}), true), 'b', service({}), true)
        expect(dictOf(live.spec).ports ?? []).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})
