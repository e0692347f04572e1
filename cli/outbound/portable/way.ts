import type { TunnelStream } from '../../../src/tunnel/index.ts'

/** The way into the cluster, as WayIn has it. */
export interface Way {
  /** Opens a stream. @throws TunnelError 'tunnel-down' */
  dial(destination: Readonly<Record<string, string | number>>): TunnelStream
  /** Resolves when `dial` will not throw for want of a tunnel; rejects when `signal` aborts. */
  up(signal: AbortSignal): Promise<void>
}
