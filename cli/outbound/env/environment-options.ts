import { readFile } from 'node:fs/promises'
import { codeOf, InterceptError, messageOf } from '../../../src/errors.ts'
import { type OptionSpec, type ParsedOptions, textsOf } from '../../command.ts'
import type { LocalAdditions } from './local-additions.ts'

export const containerOption: OptionSpec = {
  type: 'string',
  help: 'Container of the pod (default: the one that answers for the Service)',
}

/** What this machine says about the environment of a pod. */
export const environmentOptions: Readonly<Record<string, OptionSpec>> = {
  'env-file': { type: 'string', many: true, help: 'Variables of this dotenv file win; may be repeated' },
  set: { type: 'string', many: true, help: 'NAME=VALUE wins over everything; may be repeated' },
  unset: { type: 'string', many: true, help: 'Leave this variable out; may be repeated' },
}

/** @throws InterceptError 'bad-env-file' */
export async function localAdditions(options: ParsedOptions): Promise<LocalAdditions> {
  return {
    files: await Promise.all(textsOf(options, 'env-file').map(readEnvFile)),
    set: textsOf(options, 'set'),
    unset: textsOf(options, 'unset'),
  }
}

async function readEnvFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    throw new InterceptError('bad-env-file', `--env-file ${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
