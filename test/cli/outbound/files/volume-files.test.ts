import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Known } from '../../../../cli/outbound/env/resolve.ts'
import { atSubPath } from '../../../../cli/outbound/files/sub-path.ts'
import { type FilesInputs, type VolumeFile, volumeFiles } from '../../../../cli/outbound/files/volume-files.ts'
import type { VolumeSource } from '../../../../cli/outbound/files/volume-source.ts'
import type { ConfigMap, Pod, Secret } from '../../../../src/kube/objects.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const refused = { refused: 'You may not get secrets in namespace shop', fix: 'ask' } as const

const configMap: ConfigMap = {
  metadata: { name: 'settings' },
  data: { 'app.yaml': 'a: 1\n', LEVEL: 'debug' },
  binaryData: { logo: Buffer.from([0, 255, 1]).toString('base64') },
}
const secret: Secret = { metadata: { name: 'db' }, data: { password: base64('hünter2') } }

const pod: Pod = {
  metadata: { name: 'orders-1', namespace: 'shop', labels: { b: 'two "2"', a: '1' }, annotations: {} },
  spec: { containers: [{ name: 'main', resources: { limits: { memory: '64Mi' } } }] },
}

function project(sources: VolumeSource[], changes: Partial<FilesInputs> = {}) {
  const inputs: FilesInputs = {
    namespace: 'shop',
    pod,
    container: { name: 'main', resources: { limits: { memory: '64Mi' } } },
    configMap: (name) => (name === 'settings' ? { found: configMap } : { absent: true }),
    secret: (name) => (name === 'db' ? { found: secret } : name === 'hidden' ? refused : { absent: true }),
    token: () => ({ found: 'token-1' }),
    allocatable: { absent: true },
    inPod: undefined,
    ...changes,
  }
  const { files, gaps } = volumeFiles(sources, inputs)
  return { files: Object.fromEntries([...files].map(([path, { data }]) => [path, String(data)])), gaps, all: files }
}

type Keyed = Extract<VolumeSource, { kind: 'config-map' | 'secret' }>
const keyed = (kind: Keyed['kind'], name: string, more: Partial<Keyed> = {}): Keyed => ({
  kind,
  name,
  items: undefined,
  optional: false,
  mode: 0o644,
  ...more,
})

describe('ConfigMaps and Secrets', () => {
  test('all keys, binary ones too', () => {
    const { all } = project([keyed('config-map', 'settings')])
    expect([...all.keys()]).toEqual(['app.yaml', 'LEVEL', 'logo'])
    expect(all.get('logo')?.data).toEqual(Buffer.from([0, 255, 1]))
    expect(project([keyed('secret', 'db')]).files).toEqual({ password: 'hünter2' })
  })

  test('items say names, folders and modes; the rest is not there', () => {
    const items = [
      { key: 'LEVEL', path: 'log/level', mode: 0o400 },
      { key: 'app.yaml', path: 'app.yaml' },
    ]
    const { all, gaps } = project([keyed('config-map', 'settings', { items, mode: 0o444 })])
    expect([...all].map(([path, { mode }]) => [path, mode])).toEqual([
      ['log/level', 0o400],
      ['app.yaml', 0o444],
    ])
    expect(gaps).toEqual([])
  })

  test('the owner can read whatever the mode, and there is nothing but permission bits', () => {
    const modeOf = (mode: number) => project([keyed('secret', 'db', { mode })]).all.get('password')?.mode
    expect([0, 0o040, 0o4755, 0o777].map(modeOf)).toEqual([0o400, 0o440, 0o755, 0o777])
  })

  test('what does not exist is a gap, but where it is optional', () => {
    const items = [
      { key: 'LEVEL', path: 'level' },
      { key: 'none', path: 'none' },
    ]
    expect(project([keyed('config-map', 'no-such')]).gaps).toMatchObject([
      { kind: 'absent', path: undefined, why: 'ConfigMap shop/no-such does not exist' },
    ])
    const strict = project([keyed('config-map', 'settings', { items })])
    expect(strict.files).toEqual({ level: 'debug' })
    expect(strict.gaps).toMatchObject([
      { kind: 'absent', path: 'none', why: 'ConfigMap shop/settings has no key none' },
    ])
    expect(project([keyed('config-map', 'settings', { items, optional: true })])).toMatchObject({
      files: { level: 'debug' },
      gaps: [],
    })
    expect(project([keyed('secret', 'none', { optional: true })]).gaps).toEqual([])
  })

  test.each(['../up', '/abs', '..data', 'a/../b', ''])('the path %j is refused, the others stay', (path) => {
    const items = [
      { key: 'LEVEL', path },
      { key: 'app.yaml', path: 'app.yaml' },
    ]
    const { files, gaps } = project([keyed('config-map', 'settings', { items })])
    expect(Object.keys(files)).toEqual(['app.yaml'])
    expect(gaps).toMatchObject([{ kind: 'refused', why: expect.stringContaining(`the path "${path}"`) }])
  })
})

describe('several sources', () => {
  test('the last one wins', () => {
    const one = keyed('config-map', 'settings', { items: [{ key: 'LEVEL', path: 'x' }] })
    const two = keyed('secret', 'db', { items: [{ key: 'password', path: './x' }], mode: 0o600 })
    expect(project([one, two]).all.get('x')).toEqual({ data: Buffer.from('hünter2'), mode: 0o600 })
    expect(project([two, one]).files).toEqual({ x: 'debug' })
  })

  test('no name is a file and a folder', () => {
    const one = keyed('config-map', 'settings', { items: [{ key: 'LEVEL', path: 'a/b' }] })
    for (const path of ['a', 'a/b/c']) {
      const two = keyed('secret', 'db', { items: [{ key: 'password', path }] })
      expect(project([one, two])).toMatchObject({ files: { 'a/b': 'debug' }, gaps: [{ kind: 'refused', path }] })
    }
  })

  test('no two paths that come out lie in each other', () => {
    const path = fc.array(fc.constantFrom('a', 'b', '.', '..', '..a', ''), { maxLength: 4 }).map((all) => all.join('/'))
    fc.assert(
      fc.property(fc.array(path, { maxLength: 8 }), (paths) => {
        const items = paths.map((each) => ({ key: 'LEVEL', path: each }))
        const all = [...project([keyed('config-map', 'settings', { items })]).all.keys()]
        for (const one of all) {
          expect(one.split('/')).not.toContain('..')
          expect(all.some((other) => other.startsWith(`${one}/`))).toBe(false)
        }
      }),
    )
  })
})

describe('the downward API', () => {
  const downward = (item: object): VolumeSource => ({ kind: 'downward', items: [{ path: 'x', ...item }], mode: 0o644 })
  const field = (fieldPath: string) => downward({ fieldRef: { fieldPath } })

  test('fields and resources', () => {
    expect(project([field('metadata.labels')]).files).toEqual({ x: 'a="1"\nb="two \\"2\\""' })
    expect(project([field("metadata.labels['a']")]).files).toEqual({ x: '1' })
    expect(project([field('metadata.namespace')]).files).toEqual({ x: 'shop' })
    const memory = { containerName: 'main', resource: 'limits.memory', divisor: '1Mi' }
    expect(project([downward({ resourceFieldRef: memory })]).files).toEqual({ x: '64' })
  })

  test('what only a pod or its node knows is a gap', () => {
    const template = { ...pod, metadata: { ...pod.metadata, name: '' } }
    expect(project([field('metadata.name')], { pod: template }).gaps).toMatchObject([
      { path: 'x', why: 'no running pod tells metadata.name' },
    ])
    const cpu = downward({ resourceFieldRef: { resource: 'limits.cpu' } })
    expect(project([cpu], { allocatable: refused }).gaps).toMatchObject([
      { path: 'x', why: expect.stringContaining(refused.refused), fix: 'ask' },
    ])
    expect(project([cpu], { allocatable: { found: { cpu: '4' } } }).files).toEqual({ x: '4' })
  })
})

test('a token, or why there is none', () => {
  const token: VolumeSource = { kind: 'token', path: 'token', audience: undefined, seconds: 3600, mode: 0o600 }
  expect(project([token]).all.get('token')).toEqual({ data: Buffer.from('token-1'), mode: 0o600 })
  const lost = (known: Known<string>) => project([token], { token: () => known }).gaps
  expect(lost(refused)).toMatchObject([{ kind: 'refused', path: 'token', why: refused.refused, fix: 'ask' }])
  expect(lost({ absent: true })).toMatchObject([{ kind: 'absent', path: 'token' }])
  const bundle: VolumeSource = { kind: 'unavailable', path: 'roots', why: 'no' }
  expect(project([bundle]).gaps).toMatchObject([{ kind: 'refused', path: 'roots', why: 'no' }])
})

describe('what may not be read', () => {
  const inPod = new Map<string, VolumeFile>([
    ['key', { data: Buffer.from('from pod'), mode: 0o777 }],
    ['LEVEL', { data: Buffer.from('older'), mode: 0o777 }],
  ])

  test('is a gap', () => {
    expect(project([keyed('secret', 'hidden')]).gaps).toMatchObject([
      { kind: 'refused', why: refused.refused, fix: 'ask' },
    ])
    expect(project([keyed('secret', 'hidden', { optional: true })]).gaps).toHaveLength(1)
  })

  test('or what the running pod has and no other source gives, with the mode of its volume', () => {
    const { files, gaps, all } = project(
      [keyed('secret', 'hidden', { mode: 0o400 }), keyed('config-map', 'settings')],
      {
        inPod,
      },
    )
    expect(gaps).toEqual([])
    expect(files).toMatchObject({ key: 'from pod', LEVEL: 'debug' })
    expect(all.get('key')?.mode).toBe(0o400)
  })

  test("never the pod's own token, nor anything else that another source would give", () => {
    const token: VolumeSource = { kind: 'token', path: './key', audience: undefined, seconds: 3600, mode: 0o600 }
    const { files, gaps } = project([token, keyed('secret', 'hidden')], { inPod, token: () => refused })
    expect(files).toEqual({ LEVEL: 'older' })
    expect(gaps).toMatchObject([{ path: './key' }])
  })

  test('with items, those; what the pod does not have is told', () => {
    const items = ['key', 'none'].map((name) => ({ key: name, path: name }))
    const { files, gaps } = project([keyed('secret', 'hidden', { items })], { inPod })
    expect(files).toEqual({ key: 'from pod' })
    expect(gaps).toMatchObject([{ path: 'none', fix: 'ask' }])
  })
})

test('a part of a volume is a file, or the files below', () => {
  const file = (text: string): VolumeFile => ({ data: Buffer.from(text), mode: 0o644 })
  const files = new Map([
    ['a', file('1')],
    ['b/c', file('2')],
    ['b/d/e', file('3')],
    ['bc', file('4')],
  ])
  expect(atSubPath(files, 'a')).toEqual(file('1'))
  expect(atSubPath(files, 'b')).toEqual(
    new Map([
      ['c', file('2')],
      ['d/e', file('3')],
    ]),
  )
  expect(atSubPath(files, 'none')).toBeUndefined()
})
