import type { Exchange } from '../../src/http/exchange-tracker.ts'
import { formatBytes, formatDuration } from '../../src/units.ts'
import type { TunnelPool } from './tunnel-pool.ts'

/** What one running intercept has seen, for its live line. */
export class TrafficSummary {
  #connections = 0
  #open = 0
  #requests = 0
  #last: Exchange | undefined
  #isLocalDown = false

  connection(): void {
    this.#connections += 1
    this.#open += 1
    this.#isLocalDown = false
  }

  closed(): void {
    this.#open -= 1
  }

  exchange(exchange: Exchange): void {
    this.#requests += 1
    this.#last = exchange
  }

  /** @returns true for the first refusal since the local process last answered */
  localDown(): boolean {
    const isNew = !this.#isLocalDown
    this.#isLocalDown = true
    return isNew
  }

  line(pool: Pick<TunnelPool, 'bytes' | 'roundTripMs' | 'connected'>): string {
    const { in: received, out: sent } = pool.bytes
    const parts = [
      this.#requests > 0 ? `${this.#requests} requests` : `${this.#connections} connections`,
      `${this.#open} open`,
      `${formatBytes(received)} in, ${formatBytes(sent)} out`,
      pool.roundTripMs === undefined ? '' : `${formatDuration(pool.roundTripMs)} to the cluster`,
      pool.connected.length === 0 ? 'disconnected' : '',
      this.#last
        ? `${this.#last.method} ${this.#last.target} ${this.#last.status} ${formatDuration(this.#last.milliseconds)}`
        : '',
    ]
    return parts.filter((part) => part !== '').join(' · ')
  }
}
