import { signCertificate } from './certificate.ts'
import { rsaKeyPair } from './key-pair.ts'

/** PEM both. */
export interface CertificateAuthority {
  readonly cert: string
  readonly key: string
}

/** An authority for ten years; it can sign serving certificates and no other authorities. */
export async function createCa(commonName = 'intercept'): Promise<CertificateAuthority> {
  const { publicKey, privateKey } = await rsaKeyPair()
  const cert = signCertificate({
    commonName,
    publicKey,
    years: 10,
    issuer: undefined,
    signWith: privateKey,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  return { cert, key: privateKey }
}
