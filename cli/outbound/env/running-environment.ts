import { isKubeError } from '../../../src/kube/error.ts'
import type { Kube } from '../../../src/kube/types.ts'
import type { ResolvedEnvironment, Variable } from './resolve.ts'

/** These tell of the container's own files and shell; they mean nothing elsewhere. */
const ofContainer = new Set(['PATH', 'HOME', 'HOSTNAME', 'PWD', 'OLDPWD', 'SHLVL', 'TERM', '_'])

/**
 * Its own environment is what a command finds that is started in a container: the container's. Both end each variable
 * with NUL, so that newlines in values are no riddle; images without `cat` may still have `env`.
 */
const commands = [
  ['cat', '/proc/self/environ'],
  ['env', '-0'],
] as const

/** What a running container has; or why it cannot be asked. @throws KubeError */
export async function readRunning(
  kube: Kube,
  namespace: string,
  pod: string,
  container: string,
): Promise<ReadonlyMap<string, string> | { readonly refused: string; readonly fix: string | undefined }> {
  let why = ''
  for (const command of commands) {
    try {
      const { code, stdout } = await kube.execCommand(namespace, pod, { container, command })
      if (code === 0) return parseEnviron(stdout)
      why = `${command[0]} ended with code ${code} in container ${container}`
    } catch (error) {
      if (isKubeError(error, 'forbidden', 'denied'))
        return { refused: error.message.replace(/\.$/, ''), fix: error.fix }
      if (!isKubeError(error, 'exec-failed', 'not-found')) throw error
      why = error.message
    }
  }
  return { refused: why, fix: undefined }
}

/** `NAME=VALUE` with a NUL after each, as in /proc/PID/environ. */
export function parseEnviron(bytes: Buffer): Map<string, string> {
  const variables = new Map<string, string>()
  for (const entry of bytes.toString('utf8').split('\0')) {
    const equals = entry.indexOf('=', 1)
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1))
  }
  return variables
}

/** Fills in, from what the container really has, what could not be resolved. */
export function completeFrom(
  resolved: ResolvedEnvironment,
  running: ReadonlyMap<string, string>,
): Pick<ResolvedEnvironment, 'values' | 'missing'> {
  const values = new Map<string, Variable>(resolved.values)
  for (const name of resolved.uncertain) {
    const value = running.get(name)
    if (value !== undefined && value !== values.get(name)?.value) values.set(name, { value, source: sourceOf(name) })
  }
  const missing = resolved.missing.filter(({ name, whole, source, optional }) => {
    if (whole) return false
    const value = running.get(name)
    if (value === undefined) return !optional
    values.set(name, { value, source })
    return false
  })
  for (const [name, value] of running) {
    if (!values.has(name) && !ofContainer.has(name)) values.set(name, { value, source: sourceOf(name) })
  }
  return { values, missing }

  function sourceOf(name: string): Variable['source'] {
    const from = resolved.unread.filter(({ prefix }) => name.startsWith(prefix))
    return from.find(({ source }) => source === 'secret')?.source ?? from[0]?.source ?? 'image'
  }
}
