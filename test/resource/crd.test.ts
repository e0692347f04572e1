import { describe, expect, it } from 'vitest'
import { validateRules } from '../../cli/demo/cluster/custom/validate-rules.ts'
import { connectionCrd, interceptCrd } from '../../src/resource/crd.ts'

interface Schema {
  type?: string
  description?: string
  properties?: Record<string, Schema>
  items?: Schema
  required?: string[]
  additionalProperties?: unknown
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-validations'?: { rule: string; message: string }[]
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: string[]
}

interface Version {
  subresources: object
  additionalPrinterColumns: { name: string; jsonPath: string }[]
  schema: { openAPIV3Schema: Schema }
}

const crd = interceptCrd()
const [version] = crd.spec.versions as Version[]
const root = version?.schema.openAPIV3Schema as Schema
const specification = root.properties?.spec as Schema

function* schemas(schema: Schema, path = ''): Generator<[string, Schema]> {
  yield [path, schema]
  for (const [name, one] of Object.entries(schema.properties ?? {})) yield* schemas(one, `${path}.${name}`)
  if (schema.items) yield* schemas(schema.items, `${path}[]`)
}

describe('interceptCrd', () => {
  it('is a structural schema', () => {
    for (const [path, schema] of schemas(root)) {
      expect(schema.type, path).toBeTypeOf('string')
      expect(Object.keys(schema), path).not.toContain('$schema')
      expect(Object.keys(schema), path).not.toContain('anyOf')
      if (schema.properties) expect(schema.additionalProperties, path).toBeUndefined()
    }
  })

  it('has what the CLI and kubectl rely on', () => {
    expect(crd.metadata.name).toBe('intercepts.intercept.dev')
    expect(crd.spec.names).toMatchObject({ plural: 'intercepts', shortNames: ['icpt'], kind: 'Intercept' })
    expect(version?.subresources).toEqual({ status: {} })
    expect(version?.additionalPrinterColumns.map((column) => column.name)).toEqual([
      'Service',
      'Port',
      'Holder',
      'Match',
      'Phase',
      'Connected',
      'Age',
    ])
  })

  it('requires what has no default', () => {
    expect(specification.required?.sort()).toEqual(['client', 'holder', 'ports', 'service'])
    expect(specification.properties?.ttlSeconds).toMatchObject({ minimum: 10, format: 'int32' })
    expect(specification.properties?.onLocalDown).toMatchObject({ default: 'origin', enum: ['origin', 'hold', 'fail'] })
  })

  it('lets nobody change what the intercept is', () => {
    const fixed = Object.entries(specification.properties ?? {})
      .filter(([, schema]) => schema['x-kubernetes-validations']?.some(({ rule }) => rule === 'self == oldSelf'))
      .map(([name]) => name)
    expect(fixed.sort()).toEqual(['holder', 'mode', 'ports', 'service'])
  })

  it('keeps lists as maps, so that each replica applies its own entry', () => {
    const status = root.properties?.status?.properties
    expect(status?.replicas).toMatchObject({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    expect(status?.conditions).toMatchObject({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    })
    expect(status?.replicas?.items?.properties?.bytesIn).toEqual({
      type: 'integer',
      format: 'int64',
      minimum: 0,
      description: expect.any(String),
    })
  })

  it('asks for a condition where there is a match', () => {
    expect(specification.properties?.match).toMatchObject({ type: 'object', minProperties: 1 })
  })

  describe('its rules, as the API server runs them', () => {
    const key = `${'A'.repeat(43)}=`
    const laptop = { publicKey: key }
    const told = (spec: object, old?: object): string[] =>
      validateRules(spec, old, specification as never, 'spec').map(({ message }) => message)

    it.each<[string, object, object | undefined, RegExp | undefined]>([
      ['a laptop', laptop, undefined, undefined],
      ['a workload', { to: { kind: 'Service', name: 'orders-pr-1' } }, undefined, undefined],
      ['neither', {}, undefined, /exactly one of them/],
      ['both', { ...laptop, to: { kind: 'Pod', name: 'a' } }, undefined, /exactly one of them/],
      ['another key', laptop, { publicKey: key.replace('A', 'B') }, /publicKey cannot be changed/],
      ['the same match', { ...laptop, match: { as: 'ada' } }, { ...laptop, match: { as: 'ada' } }, undefined],
      ['another match', { ...laptop, match: { as: 'ada' } }, { ...laptop, match: { as: 'bob' } }, /match cannot be/],
      ['a match that comes', { ...laptop, match: { as: 'ada' } }, laptop, /match cannot be changed/],
      ['a match that goes', laptop, { ...laptop, match: { as: 'ada' } }, /match cannot be changed/],
      ['another certificate', { ...laptop, tls: { secretName: 'a' } }, laptop, /tls cannot be changed/],
      ['another mode', { ...laptop, mode: 'mirror' }, { ...laptop, mode: 'intercept' }, /mode cannot be changed/],
      ['a path twice', { ...laptop, match: { paths: [{ equals: '/', prefix: '/' }] } }, undefined, /exactly one of/],
      ['a path that is none', { ...laptop, match: { paths: [{}] } }, undefined, /exactly one of/],
      ['a path', { ...laptop, match: { paths: [{ regex: '/.*' }] } }, undefined, undefined],
      [
        'a header twice',
        { ...laptop, match: { headers: [{ name: 'a', equals: '', regex: '.' }] } },
        undefined,
        /not both/,
      ],
      ['a header', { ...laptop, match: { headers: [{ name: 'a' }] } }, undefined, undefined],
    ])('%s', (_name, spec, old, message) => {
      expect(told(spec, old)).toEqual(message ? [expect.stringMatching(message)] : [])
    })
  })
})

describe('connectionCrd', () => {
  const definition = connectionCrd()
  const [only] = definition.spec.versions as (Omit<Version, 'subresources'> & { subresources?: object })[]
  const schema = only?.schema.openAPIV3Schema as Schema
  const ofSpec = schema.properties?.spec as Schema
  const connection = {
    holder: 'ada',
    publicKey: `${'A'.repeat(43)}=`,
    reach: 'namespace',
    renewTime: '2026-01-01T00:00:00.000Z',
    ttlSeconds: 120,
  }
  const told = (change: object): string[] =>
    validateRules({ ...connection, ...change }, connection, ofSpec as never, 'spec').map(({ message }) => message)

  it('is a structural schema, with no status', () => {
    for (const [path, one] of schemas(schema)) expect(one.type, path).toBeTypeOf('string')
    expect(Object.keys(schema.properties ?? {})).toEqual(['apiVersion', 'kind', 'metadata', 'spec'])
    expect(only?.subresources).toBeUndefined()
  })

  it('has what the CLI and kubectl rely on', () => {
    expect(definition.metadata.name).toBe('connections.intercept.dev')
    expect(definition.spec.names).toEqual({
      plural: 'connections',
      singular: 'connection',
      kind: 'Connection',
      listKind: 'ConnectionList',
      shortNames: ['icpc'],
    })
    expect(only?.additionalPrinterColumns.map(({ name, jsonPath }) => `${name} ${jsonPath}`)).toEqual([
      'Holder .spec.holder',
      'Reach .spec.reach',
      'Renewed .spec.renewTime',
      'Age .metadata.creationTimestamp',
    ])
  })

  it('requires what has no default', () => {
    expect(ofSpec.required?.sort()).toEqual(['holder', 'publicKey', 'renewTime'])
    expect(ofSpec.properties?.reach).toMatchObject({ default: 'namespace', enum: ['namespace', 'anywhere'] })
    expect(ofSpec.properties?.renewTime).toMatchObject({ type: 'string', format: 'date-time' })
  })

  it('lets nobody change whose it is, its key and how far it reaches', () => {
    expect(told({ renewTime: '2026-01-01T00:00:30.000Z' })).toEqual([])
    expect(told({ holder: 'bob' })).toEqual([expect.stringContaining('holder cannot be changed')])
    expect(told({ publicKey: `${'B'.repeat(43)}=` })).toEqual([expect.stringContaining('publicKey cannot be changed')])
    expect(told({ reach: 'anywhere' })).toEqual([expect.stringContaining('reach cannot be changed')])
  })
})
