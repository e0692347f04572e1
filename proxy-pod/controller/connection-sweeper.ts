import { messageOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { Log } from '../../src/log.ts'
import { connectionType } from '../../src/resource/connection.ts'
import type { ClusterView } from './cluster-view.ts'

/** How often expired Connections are looked for, in milliseconds. */
const everyMs = 10_000

/** Deletes Connections whose holders have disappeared, while this replica leads. */
export class ConnectionSweeper {
  readonly #kube: Kube
  readonly #view: ClusterView
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined

  constructor(parts: { kube: Kube; view: ClusterView; log: Log }) {
    this.#kube = parts.kube
    this.#view = parts.view
    this.#log = parts.log
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#sweep(), everyMs)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #sweep(): void {
    for (const { metadata } of this.#view.expiredConnections) {
      const { namespace, name, uid } = metadata
      this.#kube.delete(connectionType, namespace, name, uid === undefined ? {} : { uid }).then(
        () => this.#log.info({ connection: `${namespace}/${name}` }, 'its holder has disappeared: deleted'),
        (error: unknown) => this.#log.warn({ err: error }, `cannot delete a Connection: ${messageOf(error)}`),
      )
    }
  }
}
