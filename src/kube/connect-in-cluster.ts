import { KubeClient } from './client.ts'
import { type InClusterOptions, inClusterAccess } from './config/in-cluster.ts'
import type { InformerTuning } from './informer.ts'
import { type Timeouts, Transport } from './transport.ts'

export interface ConnectInClusterOptions extends InClusterOptions {
  readonly timeouts?: Partial<Timeouts>
  readonly tuning?: Partial<InformerTuning>
  readonly signal?: AbortSignal
}

/** A client for a pod, as its service account. @throws KubeError 'kubeconfig-missing' where this is no pod */
export async function connectInCluster(options: ConnectInClusterOptions = {}): Promise<KubeClient> {
  return new KubeClient(new Transport(await inClusterAccess(options), options), options)
}
