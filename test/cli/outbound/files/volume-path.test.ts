import { posix } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { below, filePath, insidePath, mountPathOf } from '../../../../cli/outbound/files/volume-path.ts'

test.each([
  ['config.yaml', 'config.yaml'],
  ['a/b/c', 'a/b/c'],
  ['a//b/./c/', 'a/b/c'],
  ['.hidden', '.hidden'],
  ['a..b', 'a..b'],
  ['a/..b', 'a/..b'],
])('%s is the file %s', (path, clean) => expect(filePath(path)).toEqual({ path: clean }))

test.each([
  ['', 'is empty'],
  ['.', 'is empty'],
  ['/etc/passwd', 'is absolute'],
  ['..', 'leaves the volume'],
  ['../x', 'leaves the volume'],
  ['a/../b', 'leaves the volume'],
  ['a/..', 'leaves the volume'],
  ['..data', 'begins with ..'],
  ['./..data', 'begins with ..'],
  ['..2026_01_01/x', 'begins with ..'],
  ['a\0b', 'has a NUL'],
  ['x'.repeat(256), 'has a name of more than 255 bytes'],
  ['é'.repeat(128), 'has a name of more than 255 bytes'],
  ['abc/'.repeat(1025), 'is longer than 4096 bytes'],
])('%j is no file: it %s', (path, why) => expect(filePath(path)).toEqual({ why }))

test('the volume itself may be mounted, by any of its names', () => {
  for (const path of ['', '.', './', '././']) expect(insidePath(path)).toEqual({ path: '' })
})

const names = fc.constantFrom('', '.', '..', '...', 'a', '..a', 'ä', ' ', '~', '$(x)')
const paths = fc.array(names, { maxLength: 6 }).map((parts) => parts.join('/'))

test('no path that is let through leaves its volume, and it is clean', () => {
  fc.assert(
    fc.property(paths, (path) => {
      for (const judged of [filePath(path), insidePath(path)]) {
        if ('why' in judged) continue
        const resolved = posix.resolve('/volume', judged.path)
        expect(resolved === '/volume' || resolved.startsWith('/volume/')).toBe(true)
        expect(judged.path === '' ? '/volume' : `/volume/${judged.path}`).toBe(resolved)
      }
    }),
  )
})

test('a mount path never leaves the root', () => {
  expect(['/a/', 'a', '//a', '/../a', '/b/../a', '/a/.'].map(mountPathOf)).toEqual(Array(6).fill('/a'))
  fc.assert(
    fc.property(paths, (path) => {
      const clean = mountPathOf(path)
      expect(clean.split('/')).not.toContain('..')
      expect(clean === '/' || !clean.endsWith('/')).toBe(true)
      expect(mountPathOf(clean)).toBe(clean)
    }),
  )
})

test('below is what the second path adds to the first', () => {
  expect(below('/etc', '/etc/a/b')).toBe('a/b')
  expect(below('/', '/etc')).toBe('etc')
  for (const other of ['/etc', '/etcetera', '/', '/etc/']) expect(below('/etc', other)).toBeUndefined()
})
