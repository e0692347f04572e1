import type { Container, Pod, ServiceAccount, Volume } from '../../../src/kube/objects.ts'
import { serviceAccounts } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { known } from '../env/known.ts'
import { mountPathOf } from './volume-path.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'

/** As the API server's ServiceAccount admission adds it to each pod; templates do not have it yet. */
const volume: Volume = {
  name: 'kube-api-access',
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ],
  },
}

/**
 * Pod and container with the mount that every pod gets for its way to the API server, where this is only a template and
 * neither it nor its service account wants none. An account that may not be read counts as one that says nothing.
 * @throws KubeError
 */
export async function withApiAccess(
  kube: Kube,
  namespace: string,
  pod: Pod,
  container: Container,
): Promise<{ readonly pod: Pod; readonly container: Container }> {
  const isTemplate = pod.metadata.name === ''
  const hasOne = container.volumeMounts?.some((mount) => mountPathOf(mount.mountPath) === mountPath)
  if (!isTemplate || hasOne || !(await isWanted(kube, namespace, pod))) return { pod, container }
  return {
    pod: { ...pod, spec: { ...pod.spec, volumes: [...(pod.spec.volumes ?? []), volume] } },
    container: {
      ...container,
      volumeMounts: [...(container.volumeMounts ?? []), { name: volume.name, mountPath, readOnly: true }],
    },
  }
}

async function isWanted(kube: Kube, namespace: string, { spec }: Pod): Promise<boolean> {
  if (spec.automountServiceAccountToken !== undefined) return spec.automountServiceAccountToken
  const account = await known(() => kube.find<ServiceAccount>(serviceAccounts, namespace, accountOf(spec)))
  return !('found' in account) || account.found.automountServiceAccountToken !== false
}

/** Whose token the pod's containers have. */
export const accountOf = ({ serviceAccountName }: Pod['spec']): string => serviceAccountName || 'default'
