import { codeOf } from '../src/errors.ts'

/** What the process ends with. Documented in docs/cli.md; part of the API. */
export const ExitCode = {
  Ok: 0,
  /** Anything without a code of its own. */
  Failure: 1,
  /** The command line itself is wrong. */
  Usage: 2,
  /** intercept is not installed in the cluster, or versions do not go together. */
  NotInstalled: 3,
  /** Not allowed, or not logged in. */
  Forbidden: 4,
  /** Somebody else holds it. */
  Conflict: 5,
  /** The API server does not answer. */
  Unreachable: 6,
  /** A running intercept was ended by somebody else, or expired. */
  Revoked: 7,
  /** The Service, its port or the Intercept does not exist or cannot be intercepted. */
  NotPossible: 8,
} as const

const byErrorCode: Readonly<Record<string, number>> = {
  usage: ExitCode.Usage,
  'bad-duration': ExitCode.Usage,
  'no-carriers': ExitCode.Usage,
  'bad-env-file': ExitCode.Usage,
  'bad-gateway-address': ExitCode.Usage,
  'bad-header': ExitCode.Usage,
  'bad-match': ExitCode.Usage,
  'bad-name': ExitCode.Usage,
  'bad-port': ExitCode.Usage,
  'bad-serve': ExitCode.Usage,
  'bad-target': ExitCode.Usage,
  'bad-url': ExitCode.Usage,
  'bad-variable': ExitCode.Usage,
  'bad-yaml': ExitCode.Usage,
  'context-unknown': ExitCode.Usage,
  'kubeconfig-missing': ExitCode.Usage,
  'not-installed': ExitCode.NotInstalled,
  'version-skew': ExitCode.NotInstalled,
  forbidden: ExitCode.Forbidden,
  'gateway-forbidden': ExitCode.Forbidden,
  denied: ExitCode.Forbidden,
  'credentials-expired': ExitCode.Forbidden,
  conflict: ExitCode.Conflict,
  exists: ExitCode.Conflict,
  'already-intercepted': ExitCode.Conflict,
  'headless-port-in-use': ExitCode.Conflict,
  'direct-not-offered': ExitCode.Unreachable,
  'api-unreachable': ExitCode.Unreachable,
  timeout: ExitCode.Unreachable,
  revoked: ExitCode.Revoked,
  'service-not-found': ExitCode.NotPossible,
  'no-pod': ExitCode.NotPossible,
  'no-such-container': ExitCode.NotPossible,
  'no-such-port': ExitCode.NotPossible,
  'ambiguous-port': ExitCode.NotPossible,
  'ambiguous-service': ExitCode.NotPossible,
  'service-external-name': ExitCode.NotPossible,
  'service-without-selector': ExitCode.NotPossible,
  'service-local-traffic': ExitCode.NotPossible,
  'service-sctp': ExitCode.NotPossible,
  'secret-not-found': ExitCode.NotPossible,
  'unusable-secret': ExitCode.NotPossible,
  'tls-not-ready': ExitCode.NotPossible,
  'intercept-not-found': ExitCode.NotPossible,
  'not-found': ExitCode.NotPossible,
}

export function exitCodeOf(error: unknown): number {
  const code = codeOf(error) ?? ''
  return (Object.hasOwn(byErrorCode, code) ? byErrorCode[code] : undefined) ?? ExitCode.Failure
}
