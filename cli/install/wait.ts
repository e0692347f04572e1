import type { Informer, KubeObject } from '../../src/kube/types.ts'

export interface WaitOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Looks once and after each change of the informers, until `look` gives a value. Undefined when the time is over; rejects
 * with the reason of `signal`. The informers stay the caller's.
 */
export async function waitFor<T>(
  informers: readonly Informer<KubeObject>[],
  look: () => T | undefined,
  { timeoutMs, signal }: WaitOptions,
): Promise<T | undefined> {
  signal?.throwIfAborted()
  await Promise.all(informers.map((informer) => informer.synced))
  return new Promise((resolve, reject) => {
    const unsubscribe: (() => void)[] = []
    const settle = (end: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      for (const off of unsubscribe) off()
      end()
    }
    const onAbort = () => settle(() => reject(signal?.reason as Error))
    const timer = setTimeout(() => settle(() => resolve(undefined)), timeoutMs)
    const again = () => {
      const value = look()
      if (value !== undefined) settle(() => resolve(value))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    for (const informer of informers) unsubscribe.push(informer.onChange(again))
    again()
  })
}
