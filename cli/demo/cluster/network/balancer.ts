import type { Address } from './reach.ts'

/** Chooses an endpoint for each new connection: at random, or with ClientIP affinity the one of last time. */
export class Balancer {
  #endpoints: readonly Address[] = []
  readonly #affinity = new Map<string, { endpoint: Address; until: number }>()
  /** 0: no affinity. */
  affinityMs = 0

  set endpoints(endpoints: readonly Address[]) {
    this.#endpoints = endpoints
  }

  get endpoints(): readonly Address[] {
    return this.#endpoints
  }

  pick(client: string): Address | undefined {
    const endpoints = this.#endpoints
    if (this.affinityMs === 0) return endpoints[Math.floor(Math.random() * endpoints.length)]
    const now = Date.now()
    const known = this.#affinity.get(client)
    const kept =
      known && known.until > now
        ? endpoints.find(({ host, port }) => host === known.endpoint.host && port === known.endpoint.port)
        : undefined
    const endpoint = kept ?? endpoints[Math.floor(Math.random() * endpoints.length)]
    if (endpoint) this.#affinity.set(client, { endpoint, until: now + this.affinityMs })
    return endpoint
  }
}
