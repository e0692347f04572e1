import { watch } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AtomicDirectory } from '../../../../cli/outbound/files/atomic-directory.ts'
import { PlainDirectory } from '../../../../cli/outbound/files/plain-directory.ts'
import type { VolumeFile } from '../../../../cli/outbound/files/volume-files.ts'

let folder: string
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'intercept-test-')), 'volume')
})
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }))

const files = (all: Record<string, string>, mode = 0o644): Map<string, VolumeFile> =>
  new Map(Object.entries(all).map(([path, text]) => [path, { data: Buffer.from(text), mode }]))
const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8')
const modeOf = async (path: string): Promise<number> => (await stat(join(folder, path))).mode & 0o777

describe.each([
  ['atomic', AtomicDirectory],
  ['plain', PlainDirectory],
])('%s', (_, Directory) => {
  test('shows the files with their modes, whatever the umask', async () => {
    const before = process.umask(0o077)
    try {
      await new Directory(folder).write(new Map([...files({ a: '1' }, 0o664), ...files({ 'b/c': '2' }, 0o440)]))
    } finally {
      process.umask(before)
    }
    expect([await read('a'), await read('b/c')]).toEqual(['1', '2'])
    expect([await modeOf('a'), await modeOf('b/c')]).toEqual([0o664, 0o440])
  })

  test('changes content, modes and names, and takes away what is no more', async () => {
    const directory = new Directory(folder)
    expect(await directory.write(files({ a: '1', b: '2', 'd/e': '3' }, 0o400))).toBe(true)
    expect(await directory.write(files({ a: '1', b: '2', 'd/e': '3' }, 0o400))).toBe(false)
    expect(await directory.write(files({ a: '1', c: '4', 'd/f': '5' }, 0o400))).toBe(true)
    expect([await read('a'), await read('c'), await read('d/f')]).toEqual(['1', '4', '5'])
    for (const gone of ['b', 'd/e']) await expect(stat(join(folder, gone))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await directory.write(files({ a: '1', c: '4', 'd/f': '5' }, 0o600))).toBe(true)
    expect(await modeOf('c')).toBe(0o600)
    expect(await directory.write(new Map())).toBe(true)
    expect((await readdir(folder)).filter((name) => !name.startsWith('..') && name !== 'd')).toEqual([])
  })

  test('leaves alone where another mount lies', async () => {
    const directory = new Directory(folder, ['b', 'd/mounted'])
    await directory.write(files({ a: '1', b: 'mine', 'd/e': '2' }))
    await writeFile(join(folder, 'b'), 'mounted')
    await mkdir(join(folder, 'd/mounted'), { recursive: true })
    await directory.write(files({ a: '2', 'd/e': '3' }))
    expect([await read('a'), await read('b')]).toEqual(['2', 'mounted'])
    expect((await lstat(join(folder, 'd'))).isDirectory()).toBe(true)
    expect(await readdir(join(folder, 'd'))).toEqual(['mounted'])
  })
})

describe('atomic', () => {
  test("is laid out as the kubelet's: names lead through ..data into one folder of a time", async () => {
    const directory = new AtomicDirectory(folder, [], () => new Date('2026-01-31T09:05:00Z'))
    await directory.write(files({ a: '1', 'b/c': '2' }))
    expect(await readlink(join(folder, 'a'))).toBe('..data/a')
    expect(await readlink(join(folder, 'b'))).toBe('..data/b')
    const first = await readlink(join(folder, '..data'))
    expect(first).toMatch(/^\.\.2026_01_31_09_05_00\.\d{10}$/)
    await directory.write(files({ a: '2' }))
    const second = await readlink(join(folder, '..data'))
    expect(second).not.toBe(first)
    // The old folder is gone, and nothing else is left.
    expect((await readdir(folder)).sort()).toEqual([second, '..data', 'a'].sort())
  })

  test('a reader sees all of one state or all of the next', async () => {
    const directory = new AtomicDirectory(folder)
    await directory.write(files({ a: '0', b: '0' }))
    let over = false
    const seen = (async () => {
      while (!over) {
        // One look at ..data, as a program that cares does it.
        const data = await readlink(join(folder, '..data'))
        const both = await Promise.all(['a', 'b'].map((name) => read(`${data}/${name}`))).catch(() => undefined)
        if (both) expect(both[0]).toBe(both[1])
      }
    })()
    for (let count = 1; count <= 50; count += 1) await directory.write(files({ a: `${count}`, b: `${count}` }))
    over = true
    await seen
    expect(await read('a')).toBe('50')
  })

  test('a program that watches the folder hears of ..data, as in the pod', async () => {
    const directory = new AtomicDirectory(folder)
    await directory.write(files({ a: '1' }))
    const heard = new Promise<string>((resolve) => {
      const watcher = watch(folder, (_event, name) => {
        if (name !== '..data') return
        watcher.close()
        resolve(name)
      })
    })
    await directory.write(files({ a: '2' }))
    expect(await heard).toBe('..data')
  })

  test('what cannot be written leaves the old state and no rest', async () => {
    const directory = new AtomicDirectory(folder)
    await directory.write(files({ a: '1' }))
    // A file and a folder of one name cannot be; volumeFiles lets no such thing through.
    await expect(directory.write(files({ x: '2', 'x/y': '3' }))).rejects.toMatchObject({ code: 'EEXIST' })
    expect(await read('a')).toBe('1')
    expect((await readdir(folder)).sort()).toEqual([await readlink(join(folder, '..data')), '..data', 'a'].sort())
    expect(await directory.write(files({ a: '3' }))).toBe(true)
    expect(await read('a')).toBe('3')
  })
})
