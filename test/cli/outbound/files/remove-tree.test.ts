import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeTree } from '../../../../cli/outbound/files/remove-tree.ts'

test('takes away folders that nobody may write to, links without what they lead to, and nothing twice', async () => {
  const place = await mkdtemp(join(tmpdir(), 'intercept-test-'))
  const tree = join(place, 'tree')
  await mkdir(join(tree, 'a/b/c'), { recursive: true })
  await mkdir(join(place, 'outside'))
  await chmod(join(place, 'outside'), 0o500)
  await symlink('../../outside', join(tree, 'a/out'))
  await writeFile(join(tree, 'a/b/file'), '', { mode: 0o400 })
  for (const path of ['a/b/c', 'a/b', 'a']) await chmod(join(tree, path), path === 'a/b/c' ? 0 : 0o500)
  await removeTree(tree)
  expect(existsSync(tree)).toBe(false)
  expect(existsSync(join(place, 'outside'))).toBe(true)
  await removeTree(tree)
  await removeTree(place)
})
