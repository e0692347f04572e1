import { X509Certificate } from 'node:crypto'

/** Names an installation's authority, as FOR_AUTHORITY_HEADER does. @param pem its certificate */
export function authorityName(pem: string): string {
  return new X509Certificate(pem).fingerprint256
}
