import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import * as der from './der.ts'

export interface ServingCertificate {
  /** PEM both. The certificate signs itself, so that it is also what clients trust. */
  readonly cert: string
  readonly key: string
}

const ecdsaWithSha256 = [1, 2, 840, 10045, 4, 3, 2]
const commonName = [2, 5, 4, 3]
const subjectAltName = [2, 5, 29, 17]
const basicConstraints = [2, 5, 29, 19]
const keyUsage = [2, 5, 29, 15]
const extendedKeyUsage = [2, 5, 29, 37]
const serverAuth = [1, 3, 6, 1, 5, 5, 7, 3, 1]
/** Bits of KeyUsage, the first being the highest. */
const digitalSignature = 0x80
const keyCertSign = 0x04
const yearMs = 365 * 24 * 3_600_000

/**
 * A certificate for the API server on loopback (RFC 5280), with a P-256 key: made in 2 ms, where the RSA keys of src/pki
 * take up to a second, which every demo and test would wait for.
 */
export function selfSignedCertificate(
  dnsNames: readonly string[],
  ipv4: readonly string[],
  now = Date.now(),
): ServingCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const name = der.sequence(der.set(der.sequence(der.objectId(commonName), der.utf8('kubernetes'))))
  const algorithm = der.sequence(der.objectId(ecdsaWithSha256))
  const altNames = [
    ...dnsNames.map((dnsName) => der.contextPrimitive(2, Buffer.from(dnsName))),
    ...ipv4.map((address) => der.contextPrimitive(7, Buffer.from(address.split('.').map(Number)))),
  ]
  const extensions = [
    extension(basicConstraints, der.sequence(der.boolean(true)), true),
    extension(keyUsage, der.bitString(Buffer.from([digitalSignature | keyCertSign]), 2), true),
    extension(extendedKeyUsage, der.sequence(der.objectId(serverAuth)), false),
    extension(subjectAltName, der.sequence(...altNames), false),
  ]
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01
  const body = der.sequence(
    der.context(0, der.integer(Buffer.from([2]))),
    der.integer(serial),
    algorithm,
    name,
    der.sequence(der.utcTime(new Date(now - 3_600_000)), der.utcTime(new Date(now + yearMs))),
    name,
    publicKey,
    der.context(3, der.sequence(...extensions)),
  )
  const signature = sign('sha256', body, privateKey)
  return { cert: pem(der.sequence(body, algorithm, der.bitString(signature, 0))), key: privateKey }
}

function extension(id: number[], value: Buffer, critical: boolean): Buffer {
  return der.sequence(der.objectId(id), ...(critical ? [der.boolean(true)] : []), der.octetString(value))
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
