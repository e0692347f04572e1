import { createHash } from 'node:crypto'
import type { OriginEndpoint } from '../../src/takeover/endpoints.ts'

/** How long an endpoint that did not accept is tried last, in milliseconds. */
const avoidMs = 5_000

/** Orders the origin's endpoints of one Service port for each new connection. */
export class OriginBalancer {
  #endpoints: readonly OriginEndpoint[] = []
  #sticky = false
  #turn = Math.floor(Math.random() * 1_000)
  readonly #failedAt = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** @param sticky the Service has sessionAffinity ClientIP: a client's connections go to one endpoint */
  update(endpoints: readonly OriginEndpoint[], sticky: boolean): void {
    this.#endpoints = endpoints
    this.#sticky = sticky
    const present = new Set(endpoints.map(key))
    for (const failed of this.#failedAt.keys()) if (!present.has(failed)) this.#failedAt.delete(failed)
  }

  get size(): number {
    return this.#endpoints.length
  }

  has({ address, port }: OriginEndpoint): boolean {
    return this.#endpoints.some((one) => one.address === address && one.port === port)
  }

  failed(endpoint: OriginEndpoint): void {
    this.#failedAt.set(key(endpoint), this.#now())
  }

  /** Every endpoint once, best first: round-robin, or by the client's address (rendezvous hashing) where sticky. */
  order(clientAddress: string): OriginEndpoint[] {
    const endpoints = this.#endpoints
    const shift = endpoints.length > 0 ? this.#turn++ % endpoints.length : 0
    const ordered = this.#sticky
      ? [...endpoints].sort((a, b) => weight(clientAddress, b) - weight(clientAddress, a))
      : [...endpoints.slice(shift), ...endpoints.slice(0, shift)]
    if (this.#failedAt.size === 0) return ordered
    return [...ordered.filter((endpoint) => !this.#avoided(endpoint)), ...ordered.filter((e) => this.#avoided(e))]
  }

  #avoided(endpoint: OriginEndpoint): boolean {
    const failedAt = this.#failedAt.get(key(endpoint))
    return failedAt !== undefined && this.#now() - failedAt < avoidMs
  }
}

const key = ({ address, port }: OriginEndpoint): string => `${address} ${port}`

const weight = (client: string, endpoint: OriginEndpoint): number =>
  createHash('sha1')
    .update(`${client} ${key(endpoint)}`)
    .digest()
    .readUInt32BE(0)
