import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TarEntry, TarReader } from '../../../../cli/outbound/files/tar-reader.ts'

interface Read extends TarEntry {
  readonly content: string
}

/** All that a reader tells, with the archive cut at these places. */
function readAll(archive: Buffer, cuts: readonly number[] = []): { entries: Read[]; ended: boolean } {
  const entries: (TarEntry & { chunks: Buffer[] })[] = []
  const reader = new TarReader({
    onEntry: (entry) => entries.push({ ...entry, chunks: [] }),
    onData: (chunk) => entries.at(-1)?.chunks.push(Buffer.from(chunk)),
  })
  const places = [0, ...cuts.map((cut) => cut % archive.length).sort((a, b) => a - b), archive.length]
  for (const [index, from] of places.entries()) reader.push(archive.subarray(from, places[index + 1]))
  return {
    entries: entries.map(({ chunks, ...entry }) => ({ ...entry, content: String(Buffer.concat(chunks)) })),
    ended: reader.ended,
  }
}

let folder: string
const long = `${'long-folder-name-'.repeat(8)}/${'long-file-name-'.repeat(12)}`

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'intercept-test-'))
  const at = (path: string): string => join(folder, 'data', path)
  mkdirSync(at('sub'), { recursive: true })
  writeFileSync(at('empty'), '')
  writeFileSync(at('sub/ünï'), 'x'.repeat(1500), { mode: 0o600 })
  mkdirSync(at(long.split('/')[0] ?? ''))
  writeFileSync(at(long), 'far')
  symlinkSync('sub/ünï', at('link'))
  symlinkSync(long, at('long-link'))
  linkSync(at('sub/ünï'), at('twin'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const archiveOf = (format: string): Buffer =>
  execFileSync('tar', ['-cf', '-', `--format=${format}`, '--sort=name', 'data'], { cwd: folder })

describe.skipIf(process.platform !== 'linux')('archives of GNU tar', () => {
  test.each(['gnu', 'pax'])('%s', (format) => {
    const { entries, ended } = readAll(archiveOf(format))
    expect(ended).toBe(true)
    const named = Object.fromEntries(entries.map((entry) => [entry.path, entry]))
    expect(named['data/empty']).toMatchObject({ kind: 'file', size: 0, content: '' })
    expect(named['data/sub']).toMatchObject({ kind: 'folder' })
    expect(named[`data/${long}`]).toMatchObject({ kind: 'file', content: 'far' })
    expect(named['data/link']).toMatchObject({ kind: 'symbolic-link', target: 'sub/ünï', size: 0 })
    expect(named['data/long-link']).toMatchObject({ kind: 'symbolic-link', target: long })
    const one = named['data/sub/ünï']
    expect(one).toMatchObject({ kind: 'file', content: 'x'.repeat(1500), mode: 0o600 })
    expect(named['data/twin']).toMatchObject({ kind: 'hard-link', target: 'data/sub/ünï' })
    expect(entries).toHaveLength(9)
  })

  test('ustar has a prefix for long paths', () => {
    const path = `${'d'.repeat(90)}/${'f'.repeat(90)}`
    mkdirSync(join(folder, 'u', 'd'.repeat(90)), { recursive: true })
    writeFileSync(join(folder, 'u', path), 'content')
    const archive = execFileSync('tar', ['-cf', '-', '--format=ustar', 'u'], { cwd: folder })
    expect(readAll(archive).entries.at(-1)).toMatchObject({ path: `u/${path}`, content: 'content' })
  })

  test.each(['gnu', 'pax'])('%s, cut anywhere, tells the same', (format) => {
    const archive = archiveOf(format)
    const whole = readAll(archive)
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
        expect(readAll(archive, cuts)).toEqual(whole)
      }),
      { numRuns: 50 },
    )
  })

  test('one that breaks off has not ended', () => {
    const archive = archiveOf('gnu')
    fc.assert(
      fc.property(fc.nat(), (cut) => {
        const part = archive.subarray(0, cut % 4096)
        expect(readAll(part).ended).toBe(false)
      }),
    )
  })

  test('what is damaged is an archive still, or is told; nothing else happens', () => {
    const archive = archiveOf('pax')
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const damaged = Buffer.from(archive)
        for (const [at, byte] of changes) damaged[at % archive.length] = byte
        try {
          readAll(damaged)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-archive' })
        }
      }),
    )
  })
})

test('anything else is no archive', () => {
  expect(() => readAll(Buffer.alloc(2048, 'x'))).toThrow(expect.objectContaining({ code: 'bad-archive' }))
})
