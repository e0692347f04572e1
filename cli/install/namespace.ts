import type { Namespace } from '../../src/kube/objects.ts'

/** Marks a namespace that `intercept install` made, and `uninstall` may delete. */
export const CREATED_BY_LABEL = 'intercept.dev/created-by'
export const CREATED_BY = 'install'

/** The proxy's pods meet the Pod Security Standard "restricted"; nothing less is wanted here. */
export function installNamespace(name: string): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: {
        'app.kubernetes.io/part-of': 'intercept',
        [CREATED_BY_LABEL]: CREATED_BY,
        'pod-security.kubernetes.io/enforce': 'restricted',
      },
    },
  }
}
