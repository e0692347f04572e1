import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { InterceptError } from '../../src/errors.ts'
import type { Service } from '../../src/kube/objects.ts'
import type { Informer, Kube } from '../../src/kube/types.ts'
import {
  type Intercept,
  type InterceptCondition,
  type InterceptSpec,
  interceptType,
} from '../../src/resource/intercept.ts'
import { API_VERSION } from '../../src/resource/names.ts'
import type { PortMapping } from './ports.ts'

/** What is to be held. Either a laptop answers (`publicKey`) or a workload (`to`). */
export interface HoldOptions
  extends Pick<
    InterceptSpec,
    'publicKey' | 'to' | 'match' | 'mode' | 'tls' | 'onLocalDown' | 'holdSeconds' | 'ttlSeconds'
  > {
  readonly service: Service
  readonly ports: readonly PortMapping[]
  readonly holder: string
}

/** An Intercept that this process made, and what becomes of it. */
export class Hold {
  readonly name: string
  readonly namespace: string
  readonly #kube: Kube
  readonly #informer: Informer<Intercept>
  readonly #uid: string | undefined
  #gone = false

  private constructor(kube: Kube, created: Intercept) {
    this.#kube = kube
    this.name = created.metadata.name
    this.namespace = created.metadata.namespace
    this.#uid = created.metadata.uid
    this.#informer = kube.inform<Intercept>(interceptType, {
      namespace: this.namespace,
      fieldSelector: `metadata.name=${this.name}`,
    })
  }

  /** Creates the Intercept. @throws KubeError */
  static async create(kube: Kube, { service, ports, holder, ...spec }: HoldOptions): Promise<Hold> {
    const namespace = service.metadata.namespace ?? 'default'
    const created = await kube.create<Intercept>(interceptType, {
      apiVersion: API_VERSION,
      kind: 'Intercept',
      metadata: { name: nameFor(service.metadata.name, holder), namespace },
      spec: {
        service: service.metadata.name,
        ports: ports.map(({ port, name }) => ({ port, ...(name ? { name } : {}) })),
        holder,
        ...spec,
        client: { version: process.env.INTERCEPT_VERSION ?? '0.0.0', host: hostname().slice(0, 253) },
      },
    })
    return new Hold(kube, created)
  }

  /** One that was just created otherwise. */
  static of(kube: Kube, created: Intercept): Hold {
    return new Hold(kube, created)
  }

  /** As the cluster has it; undefined before the first list, and once it is gone. */
  get current(): Intercept | undefined {
    const found = this.#informer.get(this.namespace, this.name)
    return found?.metadata.uid === this.#uid ? found : undefined
  }

  /** Called after each change. */
  onChange(listener: () => void): () => void {
    return this.#informer.onChange(listener)
  }

  /**
   * Resolves when the Service is taken over. Rejects where the controller refuses, or the Intercept disappears.
   * @throws InterceptError 'already-intercepted', 'revoked', 'tls-not-ready', 'headless-port-in-use', …
   */
  async takenOver(signal: AbortSignal): Promise<Intercept> {
    await this.#informer.synced
    return this.#until(signal, (current) => {
      if (!current) return undefined
      if (current.status?.phase === 'Failed') throw refusalOf(current)
      const isTakenOver = current.status?.conditions?.some(
        ({ type, status }) => type === 'TakenOver' && status === 'True',
      )
      if (!isTakenOver) return undefined
      const tls = current.status?.conditions?.find(({ type }) => type === 'TlsReady')
      if (tls?.status === 'False') throw tlsRefusalOf(tls)
      return current
    })
  }

  /** Resolves when somebody else ended it (or its time ran out). Never by our own `leave`. */
  async ended(signal: AbortSignal): Promise<void> {
    await this.#informer.synced
    await this.#until(signal, (current) => (current === undefined && !this.#gone ? true : undefined), true)
  }

  /** Deletes the Intercept. */
  async leave(): Promise<void> {
    this.#gone = true
    await this.#kube.delete(interceptType, this.namespace, this.name, this.#uid === undefined ? {} : { uid: this.#uid })
  }

  stop(): void {
    this.#informer.stop()
  }

  #until<T>(
    signal: AbortSignal,
    check: (current: Intercept | undefined) => T | undefined,
    allowGone = false,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const look = (): void => {
        try {
          const current = this.current
          if (current === undefined && !allowGone && !this.#gone && this.#informer.fresh) {
            throw new InterceptError('revoked', `Intercept ${this.namespace}/${this.name} was deleted by somebody else`)
          }
          const found = check(current)
          if (found !== undefined) finish(() => resolve(found))
        } catch (error) {
          finish(() => reject(error))
        }
      }
      const abort = (): void => finish(() => reject(signal.reason))
      const stop = this.#informer.onChange(look)
      const finish = (settle: () => void): void => {
        stop()
        signal.removeEventListener('abort', abort)
        settle()
      }
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      look()
    })
  }
}

/** `orders-alice-x7k2`: who and what, for people who read a list; unique by its end. */
function nameFor(service: string, holder: string): string {
  const person = (holder.split(/[/:\\]/).at(-1) ?? holder)
    .split('@')[0]
    ?.toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 20)
  const random = randomBytes(3).toString('hex').slice(0, 5)
  return [service.slice(0, 36), person, random].filter(Boolean).join('-')
}

const codeOfReason: Readonly<Record<string, string>> = {
  Conflict: 'already-intercepted',
  HeadlessPortInUse: 'headless-port-in-use',
  NoSuchService: 'service-not-found',
  NoSuchPort: 'no-such-port',
  InvalidMatch: 'bad-match',
}

function refusalOf(intercept: Intercept): InterceptError {
  const condition = intercept.status?.conditions?.find(({ type }) => type === 'Accepted')
  const { service } = intercept.spec
  const fix =
    condition?.reason === 'Conflict' ? `intercept status ${service} -n ${intercept.metadata.namespace}` : undefined
  return new InterceptError(
    codeOfReason[condition?.reason ?? ''] ?? 'not-accepted',
    intercept.status?.message ?? condition?.message ?? 'the controller refused the Intercept',
    { fix },
  )
}

/** TLS would pass unseen, and nothing would ever come. */
const tlsRefusalOf = ({ reason, message }: InterceptCondition): InterceptError =>
  new InterceptError('tls-not-ready', message, {
    fix: reason === 'Forbidden' ? 'intercept install --tls-secrets' : undefined,
  })
