import { readFileSync } from 'node:fs'
import { messageOf } from '../../errors.ts'
import { KubeError } from '../error.ts'
import { type FromFile, pathIn } from './kubeconfig.ts'

/**
 * A certificate or key that an entry holds as base64 or names as a file; the data goes first, as with kubectl.
 * @throws KubeError 'kubeconfig-invalid' where the file cannot be read
 */
export function fileOrData(
  entry: FromFile<unknown>,
  file: string | undefined,
  data: string | undefined,
): Buffer | undefined {
  if (data) return Buffer.from(data, 'base64')
  if (!file) return undefined
  const path = pathIn(entry, file)
  try {
    return readFileSync(path)
  } catch (error) {
    throw new KubeError(
      'kubeconfig-invalid',
      `${path}, which ${entry.file} names, cannot be read: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}
