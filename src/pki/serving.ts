import type { CertificateAuthority } from './ca.ts'
import { signCertificate } from './certificate.ts'
import { rsaKeyPair } from './key-pair.ts'

export interface ServingNames {
  readonly dnsNames: readonly string[]
  /** IPv4 or IPv6. */
  readonly ips: readonly string[]
}

/** PEM both. */
export interface ServingCertificate {
  readonly cert: string
  readonly key: string
}

const maxCommonName = 64
const altName = { dns: 2, ip: 7 } as const

/** A certificate for a TLS server under these names, with a key of its own, for two years. */
export async function issueServingCertificate(
  ca: CertificateAuthority,
  names: ServingNames,
): Promise<ServingCertificate> {
  const { publicKey, privateKey } = await rsaKeyPair()
  const altNames = [
    ...names.dnsNames.map((value) => ({ type: altName.dns, value })),
    ...names.ips.map((ip) => ({ type: altName.ip, ip })),
  ]
  const cert = signCertificate({
    commonName: (names.dnsNames[0] ?? names.ips[0] ?? 'intercept').slice(0, maxCommonName),
    publicKey,
    years: 2,
    issuer: ca.cert,
    signWith: ca.key,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  })
  return { cert, key: privateKey }
}
