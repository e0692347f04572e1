import { expect, test } from 'vitest'
import { visibleLinks } from '../../../../cli/outbound/files/visible-links.ts'

const links = (files: string[], covered: string[] = []) => Object.fromEntries(visibleLinks(files, covered))

test('each name at the top once, folders as a whole', () => {
  expect(links(['a', 'b/c', 'b/d/e', '.x'])).toEqual({ a: '..data/a', b: '..data/b', '.x': '..data/.x' })
})

test('none at or around another mount', () => {
  expect(links(['a', 'b/c', 'd', 'dd'], ['a', 'b/mounted/deep', 'd/x', 'new'])).toEqual({ dd: '..data/dd' })
})
