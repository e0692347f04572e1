import type { Pod } from '../../../src/kube/objects.ts'
import { pods } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { APP_NAME_LABEL, DEFAULT_SYSTEM_NAMESPACE, PROXY_NAME } from '../../../src/resource/names.ts'

export const proxyPods = (kube: Kube): Promise<Pod[]> =>
  kube.list<Pod>(pods, { namespace: DEFAULT_SYSTEM_NAMESPACE, labelSelector: `${APP_NAME_LABEL}=${PROXY_NAME}` })

export const isReady = (pod: Pod): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
