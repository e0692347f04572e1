import { readFileSync } from 'node:fs'
import * as tls from 'node:tls'

/** Newer than the oldest Node that we run on. */
const { getCACertificates } = tls as { getCACertificates?(kind: 'default' | 'system'): string[] }

/** Certificates of the authorities that this machine trusts: Node's, those of NODE_EXTRA_CA_CERTS, and the system's. */
export function trustedAuthorities(): string[] {
  if (getCACertificates) return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
  // Without it they are those in Node, which a list of our own replaces together with the extra ones.
  const extra = process.env.NODE_EXTRA_CA_CERTS
  return [...tls.rootCertificates, ...(extra ? [readFileSync(extra, 'utf8')] : [])]
}
