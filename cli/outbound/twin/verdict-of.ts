import { codeOf } from '../../../src/errors.ts'
import { Verdict } from './protocol.ts'

/** How the kernel tells a program that its connection did not come about, by the code with which a stream is refused. */
const verdicts: Readonly<Record<string, Verdict>> = {
  ECONNREFUSED: Verdict.Refuse,
  ECONNRESET: Verdict.Refuse,
  EHOSTUNREACH: Verdict.HostUnreachable,
  EHOSTDOWN: Verdict.HostUnreachable,
  ENETUNREACH: Verdict.NetworkUnreachable,
  EADDRNOTAVAIL: Verdict.NetworkUnreachable,
  // A pod whose kernel has no IPv6.
  EAFNOSUPPORT: Verdict.NetworkUnreachable,
  'tunnel-down': Verdict.NetworkUnreachable,
  EACCES: Verdict.Prohibited,
  'not-allowed': Verdict.Prohibited,
  // Nothing has come back, and the program goes on waiting as long as it would have.
  ETIMEDOUT: Verdict.Drop,
}

export function verdictOf(error: unknown): Verdict {
  const code = codeOf(error) ?? ''
  return (Object.hasOwn(verdicts, code) ? verdicts[code] : undefined) ?? Verdict.HostUnreachable
}

/** The same for a datagram: a reset is for TCP only. */
export function datagramVerdictOf(error: unknown): Verdict {
  const verdict = verdictOf(error)
  return verdict === Verdict.Refuse ? Verdict.PortUnreachable : verdict
}
