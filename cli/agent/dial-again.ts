import { setTimeout as elapsed } from 'node:timers/promises'

/**
 * Dials again after a failure, so long as `again` says so. @param options.forMs no further dial is begun after it
 * @throws the last dial's error, AbortError
 */
export async function dialAgain<T>(
  dial: () => Promise<T>,
  options: {
    readonly everyMs: number
    readonly forMs: number
    readonly signal: AbortSignal
    again(error: unknown): boolean
  },
): Promise<T> {
  const until = performance.now() + options.forMs
  for (;;) {
    try {
      return await dial()
    } catch (error) {
      if (options.signal.aborted || performance.now() + options.everyMs > until || !options.again(error)) throw error
    }
    await elapsed(options.everyMs, undefined, { signal: options.signal })
  }
}
