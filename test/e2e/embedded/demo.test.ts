import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const cli = join(import.meta.dirname, '../../../dist/cli.js')

test.each([['--once'], ['--once', '--single-address']])(
  'intercept demo %s %s tells the whole story, and no request fails',
  async (...args) => {
    const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
    const started = performance.now()
    const { stdout } = await promisify(execFile)(process.execPath, [cli, 'demo', ...args, '-o', 'json'], {
      timeout: 60_000,
      env: { ...process.env, TMPDIR: folder },
    })
    const seconds = (performance.now() - started) / 1_000
    const { requests, takeoverMs, releaseMs, failures } = JSON.parse(stdout)
    expect(failures).toEqual([])
    expect(requests).toMatchObject({
      before: { laptop: 0, failed: 0 },
      during: { laptop: expect.any(Number), failed: 0 },
      after: { failed: 0 },
    })
    expect(requests.before.cluster).toBeGreaterThan(10)
    expect(requests.during.laptop).toBeGreaterThan(10)
    expect(requests.after.cluster).toBeGreaterThan(10)
    expect(takeoverMs).toBeGreaterThan(0)
    expect(releaseMs).toBeGreaterThan(0)
    expect(seconds).toBeLessThan(20)
    expect(readdirSync(folder)).toEqual([])
    rmdirSync(folder)
  },
)
