import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../errors.ts'
import { hostPort } from '../../ip-address.ts'
import { KubeError } from '../error.ts'
import type { ClusterAccess } from './access.ts'
import { tokenFile } from './token-file.ts'

export interface InClusterOptions {
  /** Folder with `token`, `ca.crt` and `namespace`; where kubelet mounts the service account by default. */
  readonly serviceAccountDir?: string
  readonly namespace?: string
  readonly env?: NodeJS.ProcessEnv
}

export const serviceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The access that every pod has. The token is read again as kubelet renews it. */
export async function inClusterAccess(options: InClusterOptions = {}): Promise<ClusterAccess> {
  const env = options.env ?? process.env
  const folder = options.serviceAccountDir ?? serviceAccountDir
  const host = env.KUBERNETES_SERVICE_HOST
  const port = env.KUBERNETES_SERVICE_PORT
  if (!host || !port) {
    throw new KubeError(
      'kubeconfig-missing',
      'This does not run in a pod: KUBERNETES_SERVICE_HOST and _PORT are not set',
    )
  }
  const token = tokenFile(join(folder, 'token'))
  try {
    const ca = readFileSync(join(folder, 'ca.crt'))
    const namespace = options.namespace ?? (await readFile(join(folder, 'namespace'), 'utf8')).trim()
    return {
      server: `https://${hostPort(host, port)}`,
      context: 'in-cluster',
      namespace,
      ca,
      credentials: async (renew) => ({ headers: { authorization: `Bearer ${await token(renew)}` } }),
    }
  } catch (error) {
    throw new KubeError('kubeconfig-missing', `The pod's service account cannot be read: ${messageOf(error)}`, {
      cause: error,
      fix: 'Set automountServiceAccountToken: true in the pod.',
    })
  }
}
