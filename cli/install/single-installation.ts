import { InterceptError } from '../../src/errors.ts'
import type { StatefulSet } from '../../src/kube/objects.ts'
import { statefulSets } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { DEFAULT_SYSTEM_NAMESPACE, PROXY_STATEFULSET } from '../../src/resource/names.ts'
import { INSTALL_SELECTOR } from './every-object.ts'

/**
 * A cluster has one installation: policy, roles and CRD are cluster-wide. Two tools on the same one would undo each
 * other's work. @throws InterceptError 'installed-elsewhere', 'installed-by-helm'
 */
export async function assertOurs(kube: Kube, namespace: string, doing: 'install' | 'uninstall'): Promise<void> {
  const found = (await kube.list<StatefulSet>(statefulSets, { labelSelector: INSTALL_SELECTOR })).filter(
    ({ metadata }) => metadata.name === PROXY_STATEFULSET,
  )
  const here = found.find(({ metadata }) => metadata.namespace === namespace)
  const elsewhere = found.find(({ metadata }) => metadata.namespace !== namespace)?.metadata.namespace
  if (elsewhere !== undefined) {
    const flag = elsewhere === DEFAULT_SYSTEM_NAMESPACE ? '' : ` --system-namespace ${elsewhere}`
    throw new InterceptError(
      'installed-elsewhere',
      `intercept is installed in namespace ${elsewhere}, not ${namespace}; a cluster has one`,
      {
        fix: `intercept ${doing}${flag}`,
      },
    )
  }
  if (here?.metadata.labels?.['app.kubernetes.io/managed-by'] !== 'Helm') return
  const release = here.metadata.annotations?.['meta.helm.sh/release-name'] ?? 'intercept'
  throw new InterceptError(
    'installed-by-helm',
    `Helm installed intercept in namespace ${namespace} (release ${release})`,
    {
      fix: `helm ${doing === 'install' ? `upgrade ${release} CHART` : `uninstall ${release}`} -n ${namespace}`,
    },
  )
}
