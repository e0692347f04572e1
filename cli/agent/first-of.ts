export interface FirstOf<T> {
  /** Which of the dials it was. */
  readonly index: number
  readonly value: T
}

/**
 * A head start passes in steps. A process that was too busy to hear of an answer (it starts, or the machine is at its
 * limit) loses one step by that, not all of it.
 */
const stepMs = 50

/**
 * The first of several dials that succeeds. Each has a head start of so long before the next is begun beside it, or less
 * where it fails. The others' signals are aborted; what they bring all the same is given to `discard`.
 * @throws AggregateError with each one's error, in order
 */
export function firstOf<T>(
  dials: readonly ((signal: AbortSignal) => Promise<T>)[],
  options: { readonly headStartMs: number; readonly signal: AbortSignal; discard(late: T): void },
): Promise<FirstOf<T>> {
  const over = new AbortController()
  const signal = AbortSignal.any([options.signal, over.signal])
  const errors: unknown[] = []
  let begun = 0
  let failed = 0
  let timer: NodeJS.Timeout | undefined
  return new Promise((resolve, reject) => {
    const begin = (): void => {
      clearTimeout(timer)
      const index = begun
      const dial = dials[index]
      if (!dial) return
      begun += 1
      wait(options.headStartMs)
      dial(signal).then(
        (value) => {
          if (over.signal.aborted) return options.discard(value)
          clearTimeout(timer)
          resolve({ index, value })
          over.abort()
        },
        (error: unknown) => {
          errors[index] = error
          failed += 1
          if (over.signal.aborted) return
          if (options.signal.aborted || failed === dials.length) {
            clearTimeout(timer)
            over.abort()
            reject(new AggregateError(errors))
          } else if (failed === begun) begin()
        },
      )
    }
    const wait = (leftMs: number): void => {
      const ms = Math.min(leftMs, stepMs)
      timer = setTimeout(() => (leftMs > ms ? wait(leftMs - ms) : begin()), ms)
    }
    if (dials.length === 0) reject(new AggregateError(errors))
    begin()
  })
}
