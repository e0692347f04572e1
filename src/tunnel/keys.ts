import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'

/** An Ed25519 pair (RFC 8032) that lives as long as the process. */
export interface TunnelKeys {
  /** Base64 of the 32 raw bytes. */
  readonly publicKey: string
  readonly privateKey: KeyObject
}

/** SubjectPublicKeyInfo of an Ed25519 key up to its raw bytes (RFC 8410, section 4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const rawKeyBytes = 32
export const signatureBytes = 64

export function generateKeys(): TunnelKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return { publicKey: spki.subarray(spkiPrefix.length).toString('base64'), privateKey }
}

/** The key in the one way that we write it, or undefined where it is not a key. */
export function canonicalPublicKey(base64: string): string | undefined {
  const raw = Buffer.from(base64, 'base64')
  return raw.length === rawKeyBytes ? raw.toString('base64') : undefined
}

export const signWith = (keys: TunnelKeys, message: Buffer): Buffer => sign(null, message, keys.privateKey)

export function verifySignature(publicKey: string, message: Buffer, signature: Buffer): boolean {
  const spki = Buffer.concat([spkiPrefix, Buffer.from(publicKey, 'base64')])
  return verify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)
}
