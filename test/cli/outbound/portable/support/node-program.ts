import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { build } from 'esbuild'
import { withPreload } from '../../../../../cli/outbound/portable/node-options.ts'

/** A folder that has the built preload and the programs of a test. */
export class NodePrograms {
  readonly folder: string
  readonly preload: string
  /** Another Node than ours: INTERCEPT_TEST_NODE. */
  readonly #node = process.env.INTERCEPT_TEST_NODE ?? process.execPath

  private constructor(folder: string) {
    this.folder = folder
    this.preload = join(folder, 'a "b" \\ c', 'preload.cjs')
  }

  static async build(): Promise<NodePrograms> {
    const programs = new NodePrograms(await mkdtemp(join(tmpdir(), 'preload of ')))
    await NodePrograms.buildPreload(programs.preload)
    return programs
  }

  /** As build.mjs does it. */
  static async buildPreload(outfile: string): Promise<void> {
    await build({
      entryPoints: ['cli/outbound/portable/preload/main.ts'],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node18',
      minify: true,
      keepNames: true,
    })
  }

  /** Runs a module and parses what it prints. Rejects with what it says on stderr where it fails. */
  async run(source: string, env: Readonly<Record<string, string>>, ...options: string[]): Promise<unknown> {
    const { code, out, error } = await this.start(source, env, ...options)
    if (code !== 0) throw new Error(`it ended with ${code}: ${error}`)
    return JSON.parse(out)
  }

  async start(
    source: string,
    env: Readonly<Record<string, string>>,
    ...options: string[]
  ): Promise<{ code: number | null; out: string; error: string }> {
    const file = join(this.folder, 'program.mjs')
    await writeFile(file, source)
    const child = spawn(this.#node, [...options, file], {
      env: { PATH: process.env.PATH, ...env, NODE_OPTIONS: withPreload(this.preload, env.NODE_OPTIONS) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { code: code as number | null, out, error }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true })
  }
}
