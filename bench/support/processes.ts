import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { RoleMessage, Usage } from './role.ts'

/** A role in a process of its own. */
export interface RoleProcess {
  readonly ports: readonly number[]
  readonly pid: number
  usage(): Promise<Usage>
}

/** Bundles the roles as the product is bundled, runs them, and ends them. */
export class Processes<Role extends string> {
  readonly #folder = mkdtempSync(join(tmpdir(), 'bench-'))
  readonly #running = new Set<ChildProcess>()
  readonly #options: { readonly profile: boolean; readonly collect: boolean }

  private constructor(options: { profile: boolean; collect: boolean }) {
    this.#options = options
  }

  /**
   * @param files one for each role, which is the file's name without its ending
   * @param options `collect`: a process collects its garbage before it tells what it uses
   */
  static async prepare<Role extends string>(
    files: Record<Role, URL>,
    options: { profile: boolean; collect: boolean },
  ): Promise<Processes<Role>> {
    const processes = new Processes<Role>(options)
    await build({
      entryPoints: Object.entries<URL>(files).map(([out, file]) => ({ in: fileURLToPath(file), out })),
      outdir: processes.#folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      target: 'node20.19',
      format: 'esm',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: 'warning',
    })
    return processes
  }

  path(role: Role): string {
    return join(this.#folder, `${role}.mjs`)
  }

  /** Resolves when it has announced `ports` ports. */
  start(role: Role, args: readonly number[], ports = 1): Promise<RoleProcess> {
    const profile = this.#options.profile ? ['--cpu-prof', `--cpu-prof-name=${role}-${args.join('-')}.cpuprofile`] : []
    const collect = this.#options.collect ? ['--expose-gc'] : []
    const child = fork(this.path(role), args.map(String), { execArgv: [...collect, ...profile] })
    this.#running.add(child)
    const got: number[] = []
    return new Promise((resolve, reject) => {
      child.once('exit', (code) => {
        this.#running.delete(child)
        reject(new Error(`${role} ended with ${code}`))
      })
      child.on('message', (message: RoleMessage) => {
        if ('port' in message) got.push(message.port)
        if (got.length === ports) resolve({ ports: got, pid: child.pid ?? 0, usage: () => usageOf(child) })
      })
    })
  }

  async stop(): Promise<void> {
    const gone = [...this.#running].map((child) => new Promise((resolve) => child.once('exit', resolve)))
    for (const child of this.#running) child.send('exit')
    await Promise.all(gone)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function usageOf(child: ChildProcess): Promise<Usage> {
  return new Promise((resolve) => {
    const listen = (message: RoleMessage) => {
      if (!('usage' in message)) return
      child.off('message', listen)
      resolve(message.usage)
    }
    child.on('message', listen)
    child.send('usage')
  })
}
