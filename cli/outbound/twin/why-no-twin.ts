import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { codeOf, InterceptError } from '../../../src/errors.ts'
import { textOfFile } from './text-of-file.ts'

/** Settings by which a system keeps its users from namespaces, with the value that does, and what undoes it. */
const forbidding = [
  {
    file: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    value: '1',
    fix: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
  {
    file: '/proc/sys/kernel/unprivileged_userns_clone',
    value: '0',
    fix: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
  },
  { file: '/proc/sys/user/max_user_namespaces', value: '0', fix: 'sudo sysctl -w user.max_user_namespaces=15000' },
] as const

/** What is wrong in words, and what to type; where a twin could not be made. */
export function explained(error: unknown, isRoot: boolean): InterceptError {
  const reason = error instanceof Error ? error.message : String(error)
  const setting = isRoot ? undefined : forbidding.find(({ file, value }) => textOfFile(file) === value)
  return new InterceptError(
    'no-twin',
    setting ? `this system keeps users from making namespaces (${reason})` : reason,
    {
      cause: error,
      ...(setting ? { fix: setting.fix } : {}),
    },
  )
}

/** @throws InterceptError 'no-twin' where this machine cannot have one */
export async function checkTwin(platform: NodeJS.Platform = process.platform): Promise<void> {
  if (platform !== 'linux') throw new InterceptError('no-twin', 'only Linux has the namespaces that a twin is made of')
  try {
    const { stdout } = await promisify(execFile)('unshare', ['--help'])
    if (stdout.includes('--map-user')) return
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  throw new InterceptError('no-twin', 'there is no program `unshare` of util-linux 2.36 or newer')
}
