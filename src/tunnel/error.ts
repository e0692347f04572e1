import { InterceptError } from '../errors.ts'

/** Codes after which no redial can help: the same hello would be refused again. */
const finalCodes: ReadonlySet<string> = new Set([
  'not-authorized',
  'version-skew',
  'bad-signature',
  'bad-hello',
  'tunnel-taken',
])

export interface TunnelErrorOptions {
  readonly fix?: string | undefined
  readonly cause?: unknown
  /** HTTP status with which the upgrade was answered instead of 101. */
  readonly status?: number | undefined
  /** Start of the body of that answer. */
  readonly detail?: string | undefined
  /** Overrides what the code says about redialling. */
  readonly final?: boolean | undefined
}

/** Whatever goes wrong with a tunnel. `final`: dialling again cannot help. */
export class TunnelError extends InterceptError {
  readonly status: number | undefined
  readonly detail: string | undefined
  readonly final: boolean

  constructor(code: string, message: string, options: TunnelErrorOptions = {}) {
    super(code, message, { fix: options.fix, cause: options.cause })
    this.name = 'TunnelError'
    this.status = options.status
    this.detail = options.detail
    this.final = options.final ?? finalCodes.has(code)
  }
}

/** The peer broke the protocol (or the carrier garbled it): its session cannot go on. Never thrown by a handler. */
export class ProtocolError extends TunnelError {
  constructor(code: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(code, message, options)
    this.name = 'ProtocolError'
  }
}
