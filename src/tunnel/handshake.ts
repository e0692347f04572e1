import { TunnelError } from './error.ts'
import { claimsOf, countOf, type Fields, fieldsOf, idOf, textOf } from './json-fields.ts'
import { canonicalPublicKey, signatureBytes, signWith, type TunnelKeys, verifySignature } from './keys.ts'
import type { TunnelLimits } from './limits.ts'
import type { PeerLimits } from './mux.ts'

/**
 * The messages of the handshake: the server's challenge, the client's signed hello, the server's welcome or refusal.
 * Each is one carrier message of JSON; the hello has the signature (64 bytes) before its JSON.
 */
export const protocolVersion = 1
/** Keeps a signature made here from meaning anything elsewhere. */
const signatureDomain = 'intercept tunnel hello 1\0'
const nonceBytes = 32

export interface Challenge {
  readonly version: number
  readonly nonce: string
}

/** Everything that the client says of itself; all of it is signed together with the server's nonce. */
export interface Hello {
  readonly version: number
  readonly clientVersion: string
  /** Chosen by the client, random, the same for all its lanes. */
  readonly tunnel: string
  readonly lane: number
  /** Base64 of the raw Ed25519 key. */
  readonly publicKey: string
  /** The session to go on with, and the bytes of it that the client has. */
  readonly resume: { readonly session: string; readonly received: number } | undefined
  readonly limits: PeerLimits
  /** Free JSON that only the application understands. */
  readonly claims: Readonly<Record<string, unknown>>
}

export interface Welcome {
  readonly session: string
  /** Bytes of the session that the server has; 0 for a new one. */
  readonly received: number
  readonly limits: PeerLimits
}

/** Why a hello is not welcome. `final`: dialling again cannot help; where undefined the code decides. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly fix?: string | undefined
  readonly final?: boolean | undefined
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value))

export const encodeChallenge = (nonce: Buffer): Buffer =>
  encode({ version: protocolVersion, nonce: nonce.toString('base64') } satisfies Challenge)

/** Throws TunnelError 'bad-handshake'. */
export function decodeChallenge(message: Buffer): Challenge {
  const fields = fieldsOf(message)
  const nonce = textOf(fields, 'nonce', 64)
  if (Buffer.from(nonce, 'base64').length !== nonceBytes) throw new TunnelError('bad-handshake', 'not a challenge')
  return { version: countOf(fields, 'version'), nonce }
}

const transcript = (nonce: Buffer, body: Buffer) => Buffer.concat([Buffer.from(signatureDomain), nonce, body])

export function encodeHello(hello: Hello, nonce: Buffer, keys: TunnelKeys): Buffer {
  const body = encode(hello)
  return Buffer.concat([signWith(keys, transcript(nonce, body)), body])
}

/** Checks form, version and signature. Throws TunnelError 'bad-hello', 'version-skew' or 'bad-signature'. */
export function decodeHello(message: Buffer, nonce: Buffer): Hello {
  const body = message.subarray(signatureBytes)
  let hello: Hello
  try {
    const fields = fieldsOf(body)
    checkVersion(countOf(fields, 'version'), textOf(fields, 'clientVersion', 64))
    hello = readHello(fields)
  } catch (cause) {
    if (!(cause instanceof TunnelError) || cause.code !== 'bad-handshake') throw cause
    throw new TunnelError('bad-hello', `the client's hello cannot be read: ${cause.message}`, { cause })
  }
  const signature = message.subarray(0, signatureBytes)
  if (!verifySignature(hello.publicKey, transcript(nonce, body), signature)) {
    throw new TunnelError('bad-signature', "the client's signature is not that of its key")
  }
  return hello
}

function readHello(fields: Fields): Hello {
  const publicKey = canonicalPublicKey(textOf(fields, 'publicKey', 64))
  if (!publicKey) throw new TunnelError('bad-handshake', 'publicKey is not an Ed25519 key')
  return {
    version: countOf(fields, 'version'),
    clientVersion: textOf(fields, 'clientVersion', 64),
    tunnel: idOf(fields, 'tunnel'),
    lane: countOf(fields, 'lane'),
    publicKey,
    resume: fields.resume === undefined ? undefined : readResume(claimsOf(fields, 'resume')),
    limits: readLimits(fields),
    claims: claimsOf(fields, 'claims'),
  }
}

const readResume = (fields: Fields) => ({ session: idOf(fields, 'session'), received: countOf(fields, 'received') })

/** Throws TunnelError 'version-skew'. */
export function checkVersion(version: number, who: string): void {
  if (version === protocolVersion) return
  throw new TunnelError(
    'version-skew',
    `${who} speaks version ${version} of the tunnel, this side ${protocolVersion}`,
    {
      fix: 'install the same release of intercept on the laptop and in the cluster',
    },
  )
}

export const ownLimits = (limits: TunnelLimits): PeerLimits => ({
  maxStreams: limits.maxStreams,
  streamWindowBytes: limits.streamWindowBytes,
  headerBytes: limits.headerBytes,
})

function readLimits(from: Fields): PeerLimits {
  const fields = claimsOf(from, 'limits')
  return {
    maxStreams: countOf(fields, 'maxStreams'),
    streamWindowBytes: Math.min(countOf(fields, 'streamWindowBytes'), 0x7fff_ffff),
    headerBytes: countOf(fields, 'headerBytes'),
  }
}

export const encodeWelcome = (welcome: Welcome): Buffer => encode({ welcome })
export const encodeRefusal = (refusal: Refusal): Buffer => encode({ refusal })

/** Throws TunnelError 'bad-handshake', or the server's refusal as a TunnelError with its code. */
export function decodeAnswer(message: Buffer): Welcome {
  const fields = fieldsOf(message)
  if (fields.refusal !== undefined) throw refusalError(claimsOf(fields, 'refusal'))
  const welcome = claimsOf(fields, 'welcome')
  return {
    session: idOf(welcome, 'session'),
    received: countOf(welcome, 'received'),
    limits: readLimits(welcome),
  }
}

function refusalError(fields: Fields): TunnelError {
  return new TunnelError(textOf(fields, 'code', 64), textOf(fields, 'message', 4_096), {
    fix: fields.fix === undefined ? undefined : textOf(fields, 'fix', 4_096),
    final: typeof fields.final === 'boolean' ? fields.final : undefined,
  })
}
