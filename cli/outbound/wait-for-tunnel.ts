import { InterceptError } from '../../src/errors.ts'

/** What waits until a tunnel is up: a WayIn. */
export interface TunnelWaiter {
  /** Resolves when a tunnel is up; rejects when `signal` aborts first. */
  up(signal: AbortSignal): Promise<void>
}

/** How long a connection waits for a tunnel that is down, in milliseconds: a laptop that wakes needs some seconds. */
export const connectionWaitMs = 30_000

/** @throws InterceptError 'tunnel-down' after `waitMs`; what `signal` aborts with */
export async function waitForTunnel(
  way: TunnelWaiter,
  { waitMs, signal }: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const late = AbortSignal.timeout(waitMs)
  try {
    await way.up(signal ? AbortSignal.any([signal, late]) : late)
  } catch (cause) {
    signal?.throwIfAborted()
    throw new InterceptError('tunnel-down', `no tunnel to the cluster in ${waitMs / 1_000} s`, { cause })
  }
}
