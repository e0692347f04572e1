import { KubeError } from '../error.ts'
import type { ClusterAccess, Credentials } from './access.ts'
import { fileOrData } from './file-or-data.ts'
import { type ClusterEntry, type FromFile, kubeconfigFiles, loadKubeconfig } from './kubeconfig.ts'
import { userCredentials } from './user-credentials.ts'

export interface KubeconfigOptions {
  /** A file; else the files that KUBECONFIG lists, else ~/.kube/config. */
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly namespace?: string | undefined
}

/** @throws KubeError 'kubeconfig-missing', 'kubeconfig-invalid', 'context-unknown' */
export function kubeconfigAccess(options: KubeconfigOptions): ClusterAccess {
  const files = kubeconfigFiles(options.kubeconfig)
  const config = loadKubeconfig(files)
  const name = options.context ?? config.currentContext
  const known = [...config.contexts.keys()]
  if (name === undefined) {
    throw new KubeError('context-unknown', 'The kubeconfig names no current context', {
      fix:
        known.length > 0
          ? `kubectl config use-context ${known[0]}`
          : 'kubectl config set-context NAME --cluster=... --user=...',
    })
  }
  const context = config.contexts.get(name)?.value
  if (context === undefined) {
    throw new KubeError('context-unknown', `The kubeconfig has no context '${name}'`, {
      fix:
        known.length > 0
          ? `One of: ${known.map((one) => `--context ${one}`).join(', ')}`
          : 'kubectl config get-contexts',
    })
  }
  const cluster = config.clusters.get(context.cluster)
  if (cluster?.value.server === undefined) {
    throw new KubeError(
      'kubeconfig-invalid',
      `Context '${name}' names the cluster '${context.cluster}', which the kubeconfig does not have`,
    )
  }
  const access = {
    server: cluster.value.server.replace(/\/+$/, ''),
    context: name,
    namespace: options.namespace ?? context.namespace ?? 'default',
    ...verificationOf(cluster),
  }
  const userName = context.user ?? ''
  const providerOf = (): ((renew: boolean) => Promise<Credentials>) =>
    userCredentials(loadKubeconfig(files).users.get(userName), { cluster, userName })
  let provider = providerOf()
  return {
    ...access,
    credentials: (renew) => {
      // Whoever logs in again writes the kubeconfig anew.
      if (renew) provider = providerOf()
      return provider(renew)
    },
  }
}

function verificationOf(
  entry: FromFile<ClusterEntry>,
): Pick<ClusterAccess, 'ca' | 'insecure' | 'tlsServerName' | 'proxyUrl'> {
  const { value } = entry
  const ca = fileOrData(entry, value['certificate-authority'], value['certificate-authority-data'])
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(value['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
    ...(value['tls-server-name'] ? { tlsServerName: value['tls-server-name'] } : {}),
    ...(value['proxy-url'] ? { proxyUrl: value['proxy-url'] } : {}),
  }
}
