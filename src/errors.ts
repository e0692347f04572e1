/**
 * An error whose reader is a person: what failed, why, and what to type.
 * Everything we throw on purpose is one of these (or a subclass); anything else is a bug.
 */
export class InterceptError extends Error {
  /** Stable, machine-readable, kebab-case; printed by `-o json`. */
  readonly code: string
  /** A command or action that helps, ready to be typed; undefined where nothing does. */
  readonly fix: string | undefined

  constructor(code: string, message: string, options: { fix?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'InterceptError'
    this.code = code
    this.fix = options.fix
  }
}

/** The message of anything that was thrown, for a log line or a person. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The errno or code of a system error (`ECONNREFUSED`), where it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
