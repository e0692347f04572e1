import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { codeOf } from '../../../../src/errors.ts'
import { programErrors, type TwinCommand } from '../protocol.ts'

/** Why a command cannot be started, in the words of a shell; undefined where it can. */
export function whyNotStarted({ command, env, cwd }: TwinCommand): string | undefined {
  const [file = ''] = command
  const places = file.includes('/')
    ? [resolve(cwd, file)]
    : (env.PATH ?? '').split(delimiter).map((one) => resolve(cwd, one, file))
  let found: string | undefined
  for (const place of places) {
    if (!isFile(place)) continue
    if (isExecutable(place)) return undefined
    found ??= place
  }
  return found === undefined
    ? `${file} could not be started: command not found`
    : `${found} could not be started: permission denied`
}

/** Starts it with our terminal. The keeper is root in a namespace of the user's; the program is the user herself. */
export function startProgram({ command, env, cwd, user }: TwinCommand): ChildProcess {
  const [file = '', ...args] = command
  const options = { cwd, env: { ...env }, stdio: [0, 1, programErrors.keeper] } satisfies SpawnOptions
  if (!user) return spawn(file, args, options)
  const mapping = ['--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`]
  return spawn('unshare', [...mapping, '--', file, ...args], options)
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch (error) {
    // A folder of PATH may be somebody else's, or none at all.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    // What access says is the answer.
    return false
  }
}
