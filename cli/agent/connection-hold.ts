import { randomBytes } from 'node:crypto'
import { isKubeError } from '../../src/kube/error.ts'
import type { Kube } from '../../src/kube/types.ts'
import { type Connection, type ConnectionSpec, connectionType } from '../../src/resource/connection.ts'
import { API_VERSION } from '../../src/resource/names.ts'
import { generateKeys, type TunnelKeys } from '../../src/tunnel/index.ts'

const ttlSeconds = 120

export interface ConnectionEvents {
  /** A renewal failed; the next one is tried all the same. */
  onError(error: unknown): void
  /** It had been swept away while this machine slept, and is there again, with the same key. */
  onMadeAgain(): void
}

/** A Connection that this process made and keeps alive. */
export class ConnectionHold {
  readonly keys: TunnelKeys
  readonly name: string
  readonly #kube: Kube
  readonly #object: Connection
  readonly #events: ConnectionEvents
  readonly #timer: NodeJS.Timeout

  private constructor(kube: Kube, keys: TunnelKeys, object: Connection, events: ConnectionEvents) {
    this.#kube = kube
    this.keys = keys
    this.name = object.metadata.name
    this.#object = object
    this.#events = events
    this.#timer = setInterval(() => this.#renew().catch((error) => events.onError(error)), (ttlSeconds * 1000) / 4)
  }

  /** Creates the Connection. @param purpose what its name begins with @throws KubeError */
  static async create(
    kube: Kube,
    options: { namespace: string; holder: string; reach: ConnectionSpec['reach']; purpose: string },
    events: ConnectionEvents,
  ): Promise<ConnectionHold> {
    const keys = generateKeys()
    const object: Connection = {
      apiVersion: API_VERSION,
      kind: 'Connection',
      metadata: { name: `${options.purpose}-${randomBytes(4).toString('hex')}`, namespace: options.namespace },
      spec: {
        holder: options.holder,
        publicKey: keys.publicKey,
        reach: options.reach,
        renewTime: new Date().toISOString(),
        ttlSeconds,
      },
    }
    await kube.create<Connection>(connectionType, object)
    return new ConnectionHold(kube, keys, object, events)
  }

  async #renew(): Promise<void> {
    const { namespace, name } = this.#object.metadata
    const renewTime = new Date().toISOString()
    try {
      await this.#kube.patch<Connection>(connectionType, namespace, name, { spec: { renewTime } }, { type: 'merge' })
    } catch (error) {
      if (!isKubeError(error, 'not-found')) throw error
      await this.#kube.create<Connection>(connectionType, {
        ...this.#object,
        spec: { ...this.#object.spec, renewTime },
      })
      this.#events.onMadeAgain()
    }
  }

  /** Deletes it. */
  async leave(): Promise<void> {
    clearInterval(this.#timer)
    const { namespace, name } = this.#object.metadata
    await this.#kube.delete(connectionType, namespace, name)
  }
}
