import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readlinkSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeFilesRoot, removeLeftBehind } from '../../../../cli/outbound/files/files-root.ts'
import { removeTree } from '../../../../cli/outbound/files/remove-tree.ts'

let place: string
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'intercept-test-'))
})
afterEach(() => removeTree(place))

const pidNamespace = process.platform === 'linux' ? (/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0') : '0'

/** The id of a process that is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return child.pid ?? 0
}

test('is a folder of this user alone, under the runtime folder', async () => {
  const root = await makeFilesRoot({ XDG_RUNTIME_DIR: place })
  expect(dirname(root)).toBe(place)
  expect((await stat(root)).mode & 0o777).toBe(0o700)
  expect(basename(root)).toContain(`-${process.pid}-`)
})

test('is in the temporary folder where there is no runtime folder that can be written to', async () => {
  for (const XDG_RUNTIME_DIR of [undefined, '', join(place, 'none')]) {
    const root = await makeFilesRoot({ XDG_RUNTIME_DIR })
    expect(dirname(root)).toBe(tmpdir())
    await rm(root, { recursive: true })
  }
})

test('takes away what dead processes left, and nothing else', async () => {
  const outside = join(place, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'precious'), '')
  const dead = await deadPid()
  const folder = async (name: string): Promise<string> => {
    await mkdir(join(place, name))
    await symlink(outside, join(place, name, 'link'))
    return join(place, name)
  }
  const left = await folder(`intercept-files-${dead}-${pidNamespace}-abc123`)
  await mkdir(join(left, 'locked/in'), { recursive: true })
  await chmod(join(left, 'locked'), 0o500)
  const kept = await Promise.all(
    [
      `intercept-files-${process.pid}-${pidNamespace}-abc123`,
      `intercept-files-${dead}-1-abc123`,
      `intercept-files-${dead}-${pidNamespace}-abc123.d`,
      `intercept-files-x-${pidNamespace}-abc123`,
    ].map(folder),
  )
  const link = join(place, `intercept-files-${dead}-${pidNamespace}-link00`)
  await symlink(outside, link)
  const file = join(place, `intercept-files-${dead}-${pidNamespace}-file00`)
  await writeFile(file, '')

  await removeLeftBehind(place)
  expect(existsSync(left)).toBe(false)
  for (const path of [...kept, link, file, join(outside, 'precious')]) expect(existsSync(path), path).toBe(true)
})
