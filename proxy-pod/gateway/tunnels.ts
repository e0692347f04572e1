import type { Tunnel } from '../../src/tunnel/types.ts'

/** The tunnels of laptops to this replica, by the Intercepts that their key opens. */
export class TunnelRegistry {
  readonly #tunnels = new Map<string, Tunnel>()
  readonly #listeners = new Set<() => void>()

  /** `namespace/name` of an Intercept. The newest tunnel of a key counts. */
  add(intercept: string, tunnel: Tunnel): void {
    this.#tunnels.set(intercept, tunnel)
    this.changed()
  }

  remove(tunnel: Tunnel): void {
    for (const [intercept, held] of this.#tunnels) if (held === tunnel) this.#tunnels.delete(intercept)
    this.changed()
  }

  get(intercept: string): Tunnel | undefined {
    return this.#tunnels.get(intercept)
  }

  get entries(): IterableIterator<[string, Tunnel]> {
    return this.#tunnels.entries()
  }

  get up(): number {
    return new Set([...this.#tunnels.values()].filter((tunnel) => tunnel.state === 'up')).size
  }

  /** Called when a tunnel comes, goes or changes its state. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
