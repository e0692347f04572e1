interface Waiter {
  readonly position: number
  /** Does not outlive the carrier. */
  readonly orDown: boolean
  resolve(): void
}

/** Who waits for the peer to have something. */
export class AckWaiters {
  #waiters: Waiter[] = []

  wait(position: number, orDown: boolean): Promise<void> {
    return new Promise((resolve) => this.#waiters.push({ position, orDown, resolve }))
  }

  acked(position: number): void {
    if (this.#waiters.length > 0) this.#settle((waiter) => position >= waiter.position)
  }

  /** The carrier is lost; with `over` the session is. */
  lost(over: boolean): void {
    this.#settle(({ orDown }) => orDown || over)
  }

  #settle(done: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) if (done(waiter)) waiter.resolve()
    this.#waiters = this.#waiters.filter((waiter) => !done(waiter))
  }
}
