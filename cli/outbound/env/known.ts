import { isKubeError } from '../../../src/kube/error.ts'
import type { Known } from './resolve.ts'

/** What was read; that it does not exist (undefined); or why the user may not. @throws KubeError of any other kind */
export async function known<T>(read: () => Promise<T | undefined>): Promise<Known<T>> {
  try {
    const found = await read()
    return found === undefined ? { absent: true } : { found }
  } catch (error) {
    if (isKubeError(error, 'forbidden')) return { refused: error.message.replace(/\.$/, ''), fix: error.fix }
    throw error
  }
}
