import { parseEnv } from 'node:util'
import { InterceptError } from '../../../src/errors.ts'
import type { Variable } from './resolve.ts'

/** What this machine says; it wins. Later ones win over earlier ones, `set` over files, `unset` over all. */
export interface LocalAdditions {
  /** Texts of dotenv files, read as `node --env-file` reads them. */
  readonly files: readonly string[]
  /** `NAME=VALUE` each. */
  readonly set: readonly string[]
  readonly unset: readonly string[]
}

/** @throws InterceptError 'bad-variable' */
export function withLocal(
  values: ReadonlyMap<string, Variable>,
  { files, set, unset }: LocalAdditions,
): Map<string, Variable> {
  const all = new Map(values)
  for (const text of files) {
    for (const [name, value = ''] of Object.entries(parseEnv(text))) all.set(name, { value, source: 'local' })
  }
  for (const entry of set) {
    const equals = entry.indexOf('=')
    if (equals < 1) {
      throw new InterceptError('bad-variable', `"${entry}" sets no variable`, { fix: '--set NAME=VALUE' })
    }
    all.set(entry.slice(0, equals), { value: entry.slice(equals + 1), source: 'local' })
  }
  for (const name of unset) all.delete(name)
  return all
}
