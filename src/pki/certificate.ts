import { randomBytes } from 'node:crypto'
import forge from 'node-forge'

export interface CertificateTemplate {
  readonly commonName: string
  /** PEM. */
  readonly publicKey: string
  readonly years: number
  readonly extensions: object[]
  /** PEM; the certificate signs itself where undefined. */
  readonly issuer: string | undefined
  /** PEM of the issuer's key. */
  readonly signWith: string
}

/** Clocks of two machines differ; a certificate just made must be valid on both. */
const backdateMs = 3_600_000
const yearMs = 365 * 24 * 3_600_000

/** A signed X.509 v3 certificate (RFC 5280) as PEM. It never outlives its issuer. */
export function signCertificate(template: CertificateTemplate, now = Date.now()): string {
  const certificate = forge.pki.createCertificate()
  const issuer = template.issuer === undefined ? undefined : forge.pki.certificateFromPem(template.issuer)
  const subject = [{ name: 'commonName', value: template.commonName }]
  certificate.publicKey = forge.pki.publicKeyFromPem(template.publicKey)
  certificate.serialNumber = serialNumber()
  certificate.validity.notBefore = new Date(now - backdateMs)
  const wanted = now + template.years * yearMs
  certificate.validity.notAfter = new Date(Math.min(wanted, issuer?.validity.notAfter.getTime() ?? wanted))
  certificate.setSubject(subject)
  certificate.setIssuer(issuer?.subject.attributes ?? subject)
  certificate.setExtensions([...template.extensions, ...keyIdentifiers(certificate, issuer)])
  certificate.sign(forge.pki.privateKeyFromPem(template.signWith), forge.md.sha256.create())
  return forge.pki.certificateToPem(certificate)
}

function keyIdentifiers(certificate: forge.pki.Certificate, issuer: forge.pki.Certificate | undefined): object[] {
  const signer = issuer ?? certificate
  return [
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: signer.generateSubjectKeyIdentifier().getBytes() },
  ]
}

/** Hex; positive, at most 20 octets (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return bytes.toString('hex')
}
