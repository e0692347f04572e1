import { codeOf, InterceptError } from '../../src/errors.ts'

/** What an address of a family gives that this pod does not have. */
const noSuchFamily: ReadonlySet<string> = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** Of the errors of several addresses of one host, the one that says most: not that this pod lacks a family. */
export function dialError(errors: readonly unknown[]): unknown {
  const [first] = errors
  const telling = errors.find((error) => !noSuchFamily.has(codeOf(error) ?? ''))
  return telling ?? first ?? new InterceptError('no-endpoint', 'there is no address to dial')
}
