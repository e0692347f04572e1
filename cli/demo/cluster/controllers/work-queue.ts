/**
 * Keys to reconcile, each once however often it was added, one after the other on later turns of the event loop. A
 * reconcile that throws is told to `onError` and tried again.
 */
export class WorkQueue {
  readonly #keys = new Set<string>()
  readonly #reconcile: (key: string) => void
  readonly #onError: (key: string, error: unknown) => void
  readonly #retries = new Map<string, number>()
  #scheduled = false
  #closed = false

  constructor(reconcile: (key: string) => void, onError: (key: string, error: unknown) => void) {
    this.#reconcile = reconcile
    this.#onError = onError
  }

  add(key: string): void {
    if (this.#closed) return
    this.#keys.add(key)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#run())
  }

  addAfter(key: string, ms: number): void {
    setTimeout(() => this.add(key), ms).unref()
  }

  close(): void {
    this.#closed = true
    this.#keys.clear()
  }

  #run(): void {
    this.#scheduled = false
    const keys = [...this.#keys]
    this.#keys.clear()
    for (const key of keys) {
      if (this.#closed) return
      try {
        this.#reconcile(key)
        this.#retries.delete(key)
      } catch (error) {
        const tries = (this.#retries.get(key) ?? 0) + 1
        this.#retries.set(key, tries)
        this.#onError(key, error)
        this.addAfter(key, Math.min(5_000, 10 * 2 ** tries))
      }
    }
  }
}
