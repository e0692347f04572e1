import { KubeClient } from '../../src/kube/client.ts'
import type { ClusterAccess } from '../../src/kube/config/access.ts'
import type { InformerTuning } from '../../src/kube/informer.ts'
import { type Timeouts, Transport } from '../../src/kube/transport.ts'

/** Back-offs and watchdogs of a test: fast, yet in the same order of size to each other. */
export const fastTuning: Partial<InformerTuning> = {
  watchIdleMs: 150,
  watchAnswerMs: 150,
  backoffMinMs: 2,
  backoffMaxMs: 20,
  stableMs: 50,
}

export function accessTo(server: string, changes: Partial<ClusterAccess> = {}): ClusterAccess {
  return { server, context: 'test', namespace: 'shop', credentials: async () => ({ headers: {} }), ...changes }
}

export function clientOf(
  server: string,
  changes: Partial<ClusterAccess> = {},
  options: { timeouts?: Partial<Timeouts>; tuning?: Partial<InformerTuning>; signal?: AbortSignal } = {},
): KubeClient {
  const transport = new Transport(accessTo(server, changes), options)
  return new KubeClient(transport, {
    tuning: { ...fastTuning, ...options.tuning },
    ...(options.signal && { signal: options.signal }),
  })
}
