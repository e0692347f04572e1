import type { Variable } from './env/resolve.ts'

/** These tell of a machine: those of the image's files would mislead a program that runs on another. */
const ofMachine: ReadonlySet<string> = new Set([
  'HOME',
  'HOSTNAME',
  'LOGNAME',
  'OLDPWD',
  'PATH',
  'PWD',
  'SHELL',
  'SHLVL',
  'TERM',
  'TMPDIR',
  'USER',
  '_',
])

/** How this machine gets out; a pod goes its own way. */
const ofNetwork = /^(all|ftp|http|https|no)_proxy$/i

/** What of a pod's environment is for a program of this machine; all that was said here (source 'local'). */
export function forProgram(pod: ReadonlyMap<string, Variable>): Map<string, Variable> {
  return new Map([...pod].filter(([name, { source }]) => source === 'local' || !ofMachine.has(name)))
}

/** This machine's environment, as far as it holds in a twin. */
export function withoutNetwork(own: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(own).filter(([name]) => !ofNetwork.test(name)))
}

/** All of a program's environment: the pod's over this machine's. @param unset what it shall not have */
export function programEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  pod: Iterable<readonly [name: string, value: string]>,
  unset: readonly string[],
): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [name, value] of [...Object.entries(own), ...pod]) {
    if (value !== undefined && !unset.includes(name)) all[name] = value
  }
  return all
}
