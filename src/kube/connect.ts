import { KubeClient } from './client.ts'
import type { InClusterOptions } from './config/in-cluster.ts'
import type { KubeconfigOptions } from './config/kubeconfig-access.ts'
import { connectInCluster } from './connect-in-cluster.ts'
import type { InformerTuning } from './informer.ts'
import { type Timeouts, Transport } from './transport.ts'

export interface ConnectOptions extends KubeconfigOptions {
  /** As the pod that this runs in; `kubeconfig` and `context` are not looked at then. */
  readonly inCluster?: boolean | InClusterOptions
  readonly timeouts?: Partial<Timeouts>
  readonly tuning?: Partial<InformerTuning>
  /** Ends everything that the client does. */
  readonly signal?: AbortSignal
}

/**
 * A client for the person at this machine. No request is made here, so it says nothing about whether the cluster answers.
 * The proxy pod uses connectInCluster, which bundles without the kubeconfig's parts.
 * @throws KubeError 'kubeconfig-missing', 'kubeconfig-invalid', 'context-unknown'
 */
export async function connectKube(options: ConnectOptions = {}): Promise<KubeClient> {
  const { inCluster, timeouts, tuning, signal } = options
  const shared = { ...(timeouts && { timeouts }), ...(tuning && { tuning }), ...(signal && { signal }) }
  if (inCluster !== undefined && inCluster !== false) {
    const pod = inCluster === true ? {} : inCluster
    return connectInCluster({
      ...shared,
      ...pod,
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    })
  }
  const { kubeconfigAccess } = await import('./config/kubeconfig-access.ts')
  return new KubeClient(new Transport(kubeconfigAccess(options), shared), shared)
}
