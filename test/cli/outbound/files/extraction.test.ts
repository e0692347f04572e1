import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Extraction } from '../../../../cli/outbound/files/extraction.ts'
import { removeTree } from '../../../../cli/outbound/files/remove-tree.ts'
import type { TarEntry } from '../../../../cli/outbound/files/tar-reader.ts'

let place: string
let target: string
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'intercept-test-'))
  target = join(place, 'root/data')
  mkdirSync(join(place, 'root'))
})
afterEach(() => removeTree(place))

type Given = Partial<TarEntry> & { readonly path: string; readonly content?: string }

function extract(entries: Given[], limits?: { bytes: number; entries: number }): Extraction {
  const extraction = new Extraction({ mountPath: '/data', target, ...(limits ? { limits } : {}) })
  for (const { content = '', ...entry } of entries) {
    const data = Buffer.from(content)
    extraction.onEntry({ kind: 'file', mode: 0o644, target: '', size: data.length, ...entry })
    if (data.length > 0) extraction.onData(data)
  }
  extraction.end()
  return extraction
}

const top: Given = { path: 'data', kind: 'folder' }
const link = (path: string, to: string): Given => ({ path, kind: 'symbolic-link', target: to })
const read = (path: string): string => readFileSync(join(target, path), 'utf8')

test('files come read-only, with what else their modes say', () => {
  const { kind, skipped } = extract([
    top,
    { path: 'data/a', content: 'one', mode: 0o664 },
    { path: 'data/sub/run', content: 'two', mode: 0o750 },
    { path: 'data/none', mode: 0 },
  ])
  expect([kind, skipped]).toEqual(['directory', []])
  expect([read('a'), read('sub/run')]).toEqual(['one', 'two'])
  const modes = ['a', 'sub/run', 'none'].map((path) => statSync(join(target, path)).mode & 0o777)
  expect(modes).toEqual([0o444, 0o550, 0o400])
})

test('a mount that is one file', () => {
  const { kind } = extract([{ path: 'data/app.yaml', content: 'x' }])
  expect(kind).toBe('file')
  expect(readFileSync(target, 'utf8')).toBe('x')
})

test('links within the volume lead there, as seen from where they lie', () => {
  const { skipped } = extract([
    top,
    { path: 'data/v1/x', content: '1' },
    link('data/current', 'v1'),
    link('data/absolute', '/data/v1/x'),
    link('data/v1/up', '../current/x'),
    { path: 'data/twin', kind: 'hard-link', target: 'data/v1/x' },
  ])
  expect(skipped).toEqual([])
  expect(readlinkSync(join(target, 'absolute'))).toBe('v1/x')
  for (const path of ['current/x', 'absolute', 'v1/up', 'twin']) expect(read(path)).toBe('1')
})

test('what leads out is left out', () => {
  const outside = join(place, 'outside')
  mkdirSync(outside)
  const { skipped } = extract([
    top,
    link('data/etc', '/etc'),
    link('data/up', '..'),
    link('data/sub/up', '../../../outside'),
    { path: 'data/../../outside/file', content: 'bad' },
    { path: '../outside/file', content: 'bad' },
    { path: '/data/absolute', content: 'bad' },
    { path: 'dataset/x', content: 'bad' },
    { path: 'data/hard', kind: 'hard-link', target: '/etc/passwd' },
    { path: 'data/hard-2', kind: 'hard-link', target: 'data/none' },
    { path: 'data/device', kind: 'other' },
  ])
  expect(skipped).toHaveLength(10)
  expect(existsSync(join(outside, 'file'))).toBe(false)
  for (const path of ['etc', 'up', 'hard', 'device']) expect(existsSync(join(target, path)), path).toBe(false)
})

test('no file is written through a link', () => {
  // A link and then a file below it: it is a folder, and the link is not.
  const first = extract([top, link('data/a', '.'), { path: 'data/a/file', content: 'x' }])
  expect(read('a/file')).toBe('x')
  expect(first.skipped).toEqual(['a'])
})

test('a link in a link would lead elsewhere than it says: neither is made', () => {
  const { skipped } = extract([top, { path: 'data/x/y/z/file' }, link('data/d', '.'), link('data/d/e', '../x/y')])
  expect(skipped).toEqual(['d', 'd/e'])
  expect(existsSync(join(target, 'e'))).toBe(false)
})

test('the later one of two entries of a path counts', () => {
  extract([top, { path: 'data/a', content: '1' }, { path: 'data/a', content: '2' }])
  expect(read('a')).toBe('2')
})

test('more than is copied is refused before it is written', () => {
  const tooLarge = expect.objectContaining({ code: 'volume-too-large', message: expect.stringContaining('1.0 kB') })
  const limits = { bytes: 1_000, entries: 3 }
  expect(() => extract([top, { path: 'data/a', size: 1_001 }], limits)).toThrow(tooLarge)
  expect(existsSync(join(target, 'a'))).toBe(false)
  const many = ['a', 'b', 'c'].map((name) => ({ path: `data/${name}` }))
  expect(() => extract([top, ...many], limits)).toThrow(expect.objectContaining({ code: 'volume-too-large' }))
})
