import { readFileSync } from 'node:fs'
import { codeOf } from '../../../src/errors.ts'

/** Without white space at its ends; undefined where there is no such file. */
export function textOfFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
