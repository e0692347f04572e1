import { TunnelError } from './error.ts'

export type Fields = Readonly<Record<string, unknown>>

const bad = (why: string, cause?: unknown) => new TunnelError('bad-handshake', why, { cause })

/** These read what a stranger sent; each throws TunnelError 'bad-handshake' that names the field. */
export function fieldsOf(message: Buffer): Fields {
  let value: unknown
  try {
    value = JSON.parse(message.toString('utf8'))
  } catch (cause) {
    throw bad('not JSON', cause)
  }
  return objectOf(value, 'message')
}

function objectOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(`${name} is not an object`)
  return value as Fields
}

export const claimsOf = (fields: Fields, name: string): Fields => objectOf(fields[name], name)

export function textOf(fields: Fields, name: string, mostChars: number): string {
  const value = fields[name]
  if (typeof value !== 'string' || value.length > mostChars)
    throw bad(`${name} is not a text of ${mostChars} characters`)
  return value
}

/** A whole number from 0 to 2^47. */
export function countOf(fields: Fields, name: string): number {
  const value = fields[name]
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > 2 ** 47) {
    throw bad(`${name} is not a count`)
  }
  return value as number
}

/** What we make ids of: 16 to 64 characters of base64url. */
export function idOf(fields: Fields, name: string): string {
  const value = textOf(fields, name, 64)
  if (!/^[A-Za-z0-9_-]{16,64}$/.test(value)) throw bad(`${name} is not an id`)
  return value
}
