import { pino } from 'pino'
import { InterceptError } from './errors.ts'

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>

/** JSON lines on stdout, as log collectors of clusters expect them. */
export function createLog(level: string, bindings: Record<string, unknown>): Log {
  return pino({ level, base: bindings, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err } })
}

/** Of an error on purpose its code and cause say all; a bug needs its stack. */
function err(error: unknown): unknown {
  if (!(error instanceof InterceptError)) return pino.stdSerializers.err(error as Error)
  return { code: error.code, ...(error.cause === undefined ? {} : { cause: String(error.cause) }) }
}
