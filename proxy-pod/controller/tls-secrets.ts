import { messageOf } from '../../src/errors.ts'
import { isKubeError } from '../../src/kube/error.ts'
import type { Secret } from '../../src/kube/objects.ts'
import { secrets } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { Log } from '../../src/log.ts'
import { TlsCertificate } from '../dataplane/tls-certificate.ts'

export const tlsSecretLimits = {
  /** How often a Secret is read again. The right to watch it would be the right to see all others. Milliseconds. */
  rereadMs: 30_000,
  /** The same while it is of no use: somebody may be about to make it, or to let us read it. */
  retryMs: 5_000,
}

/** Why TLS of the ports that name a Secret passes unseen. */
export interface TlsTrouble {
  readonly reason: 'Forbidden' | 'NoSuchSecret' | 'UnusableSecret' | 'Unreadable'
  readonly message: string
}

interface Held {
  /** Resolves when it was read for the first time. */
  readonly first: Promise<void>
  certificate: TlsCertificate | undefined
  trouble: TlsTrouble | undefined
  /** What the certificate was made of. */
  version: string
  timer: NodeJS.Timeout | undefined
}

/** The Secrets that accepted Intercepts name for their TLS, read by name and kept fresh for as long as one names them. */
export class TlsSecrets {
  readonly #kube: Pick<Kube, 'get'>
  readonly #log: Pick<Log, 'info' | 'warn'>
  readonly #held = new Map<string, Held>()

  constructor(kube: Pick<Kube, 'get'>, log: Pick<Log, 'info' | 'warn'>) {
    this.#kube = kube
    this.#log = log
  }

  /** As it was last read; starts to read it where it is new. Undefined where it is of no use. */
  certificate(namespace: string, name: string): TlsCertificate | undefined {
    return this.#of(namespace, name).certificate
  }

  /** What is wrong with it, once it was read. */
  async trouble(namespace: string, name: string): Promise<TlsTrouble | undefined> {
    const held = this.#of(namespace, name)
    await held.first
    return held.trouble
  }

  /** Forgets all others. */
  retain(wanted: readonly { readonly namespace: string; readonly name: string }[]): void {
    const keys = new Set(wanted.map(({ namespace, name }) => keyOf(namespace, name)))
    for (const [key, held] of this.#held) {
      if (keys.has(key)) continue
      this.#held.delete(key)
      clearTimeout(held.timer)
    }
  }

  #of(namespace: string, name: string): Held {
    const key = keyOf(namespace, name)
    const found = this.#held.get(key)
    if (found) return found
    let read: () => void = () => undefined
    const first = new Promise<void>((resolve) => {
      read = resolve
    })
    const held: Held = { first, certificate: undefined, trouble: undefined, version: '', timer: undefined }
    this.#held.set(key, held)
    void this.#follow(namespace, name, held, read)
    return held
  }

  async #follow(namespace: string, name: string, held: Held, read: () => void): Promise<void> {
    const before = held.trouble?.message
    held.trouble = await this.#read(namespace, name, held)
    read()
    const { trouble } = held
    if (trouble && trouble.message !== before) this.#log.warn({ secret: keyOf(namespace, name) }, trouble.message)
    if (this.#held.get(keyOf(namespace, name)) !== held) return
    const again = trouble ? tlsSecretLimits.retryMs : tlsSecretLimits.rereadMs
    held.timer = setTimeout(() => void this.#follow(namespace, name, held, read), again)
  }

  async #read(namespace: string, name: string, held: Held): Promise<TlsTrouble | undefined> {
    const key = keyOf(namespace, name)
    let secret: Secret
    try {
      secret = await this.#kube.get<Secret>(secrets, namespace, name)
    } catch (error) {
      const trouble = troubleOf(key, error)
      // An API server that is away for a while takes nothing back.
      if (trouble.reason === 'Unreadable') return held.certificate ? undefined : trouble
      held.certificate = undefined
      held.version = ''
      return trouble
    }
    const { 'tls.crt': cert = '', 'tls.key': privateKey = '' } = secret.data ?? {}
    const version = `${cert} ${privateKey}`
    if (held.certificate && held.version === version) return undefined
    held.version = version
    held.certificate = undefined
    const unusable = `Secret ${key} is no certificate with its key`
    if (cert === '' || privateKey === '') {
      return { reason: 'UnusableSecret', message: `${unusable}: it has no tls.crt or no tls.key` }
    }
    try {
      held.certificate = new TlsCertificate({ cert: decoded(cert), key: decoded(privateKey) })
    } catch (error) {
      return { reason: 'UnusableSecret', message: `${unusable}: ${messageOf(error)}` }
    }
    this.#log.info({ secret: key }, 'read the certificate')
    return undefined
  }
}

function troubleOf(key: string, error: unknown): TlsTrouble {
  if (isKubeError(error, 'not-found')) return { reason: 'NoSuchSecret', message: `Secret ${key} does not exist` }
  if (isKubeError(error, 'forbidden', 'denied')) {
    return { reason: 'Forbidden', message: `the proxy pods may not read Secret ${key}` }
  }
  return { reason: 'Unreadable', message: `Secret ${key} cannot be read: ${messageOf(error)}` }
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString()
