import type { Connection } from '../../src/resource/connection.ts'

/**
 * Tells which Connections are still renewed. As with a Lease, only that `renewTime` changes counts, by our own clock:
 * a laptop's may be wrong.
 */
export class Renewals {
  readonly #seen = new Map<string, { readonly renewTime: string; readonly at: number }>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** To be called with all Connections whenever one changes. */
  observe(connections: readonly Connection[]): void {
    const present = new Set(connections.map(keyOf))
    for (const key of this.#seen.keys()) if (!present.has(key)) this.#seen.delete(key)
    for (const connection of connections) {
      const { renewTime } = connection.spec
      if (this.#seen.get(keyOf(connection))?.renewTime !== renewTime) {
        this.#seen.set(keyOf(connection), { renewTime, at: this.#now() })
      }
    }
  }

  /** True where its holder has not renewed it for its ttl. */
  isExpired(connection: Connection): boolean {
    const seen = this.#seen.get(keyOf(connection))
    return seen !== undefined && this.#now() - seen.at > connection.spec.ttlSeconds * 1000
  }
}

const keyOf = ({ metadata }: Connection): string => metadata.uid ?? `${metadata.namespace}/${metadata.name}`
