import { readFile } from 'node:fs/promises'
import { messageOf } from '../../errors.ts'
import { KubeError } from '../error.ts'

const maxAgeMs = 60_000

/** Reads a bearer token from a file that something else renews; read again each minute, and when `renew` is asked. */
export function tokenFile(path: string, now: () => number = Date.now): (renew: boolean) => Promise<string> {
  let token: string | undefined
  let readAt = 0
  return async (renew) => {
    if (token !== undefined && !renew && now() - readAt < maxAgeMs) return token
    try {
      const text = (await readFile(path, 'utf8')).trim()
      if (text === '') throw new Error('it is empty')
      token = text
      readAt = now()
      return text
    } catch (error) {
      // A renewal in progress may leave the file unreadable for a moment.
      if (token !== undefined && !renew) return token
      throw new KubeError('credentials-expired', `The token file ${path} cannot be read: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
}
