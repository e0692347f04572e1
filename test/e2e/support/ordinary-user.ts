import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const checkout = join(import.meta.dirname, '..', '..', '..')

/** Somebody who is not root, with what she needs to run the command line. */
export interface OrdinaryUser {
  readonly uid: number
  /** A folder of hers. */
  readonly folder: string
  readonly kubeconfig: string
  /** The `dist/cli.js` of an installation that she can read. */
  readonly installation: string
  /** Runs a command as her, in her folder. */
  readonly prefix: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Takes her away with all that is hers. */
  remove(): void
}

/** A user of this machine that is made for it where root asks; else the one who asks. */
export function ordinaryUser(kubeconfig: string): OrdinaryUser {
  const isRoot = process.getuid?.() === 0
  const folder = mkdtempSync(join(tmpdir(), 'intercept-user-'))
  const name = `intercept-${process.pid}`
  if (isRoot) execFileSync('useradd', ['--no-create-home', '--home-dir', folder, name])
  const idOf = (option: string): number =>
    Number(execFileSync('id', [option, ...(isRoot ? [name] : [])], { encoding: 'utf8' }))
  const [uid, gid] = [idOf('-u'), idOf('-g')]
  const program = join(folder, 'program')
  cpSync(join(checkout, 'dist'), join(program, 'dist'), { recursive: true })
  // The one package that is not in the bundles, and its binary for this kind of machine.
  for (const name of ['koffi', '@koromix']) {
    const from = join(checkout, 'node_modules', name)
    if (existsSync(from)) cpSync(from, join(program, 'node_modules', name), { recursive: true, dereference: true })
  }
  copyFileSync(join(checkout, 'package.json'), join(program, 'package.json'))
  const own = join(folder, 'kubeconfig')
  copyFileSync(kubeconfig, own)
  const runtime = join(folder, 'runtime')
  mkdirSync(runtime, { mode: 0o700 })
  chmodSync(own, 0o600)
  for (const path of [folder, own, runtime]) chownSync(path, uid, gid)
  return {
    uid,
    folder,
    kubeconfig: own,
    installation: join(program, 'dist', 'cli.js'),
    prefix: [...(isRoot ? ['runuser', '-u', name, '--'] : []), 'env', '-C', folder],
    env: { HOME: folder, USER: name, XDG_RUNTIME_DIR: runtime },
    remove: () => {
      if (isRoot) execFileSync('userdel', [name])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
