import type { ObjectMeta } from '../../src/kube/types.ts'
import { PROXY_LABELS } from '../../src/resource/names.ts'
import type { InstallOptions } from './options.ts'

export type InstallMetadata = Pick<ObjectMeta, 'name' | 'namespace' | 'labels' | 'annotations'>

/** Labels of every object of an installation; `app.kubernetes.io/name` of a pod makes it a replica. */
export function commonLabels(options: InstallOptions): Record<string, string> {
  return {
    ...PROXY_LABELS,
    'app.kubernetes.io/part-of': 'intercept',
    'app.kubernetes.io/version': options.version,
    ...options.labels,
  }
}

/** Metadata of a cluster-wide object. */
export function clusterMetadata(
  options: InstallOptions,
  name: string,
  labels: Record<string, string> = {},
): InstallMetadata {
  const annotations = { ...options.annotations }
  return {
    name,
    labels: { ...commonLabels(options), ...labels },
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  }
}

/** Metadata of an object in the proxy's namespace, or in another. */
export function metadata(options: InstallOptions, name: string, namespace = options.namespace): InstallMetadata {
  return { ...clusterMetadata(options, name), namespace }
}
