import { InterceptError } from '../../src/errors.ts'
import { isKubeError } from '../../src/kube/error.ts'
import type { Secret } from '../../src/kube/objects.ts'
import { secrets } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'

/**
 * Whether the Secret can be what TLS is ended with, as far as we may look. Who may not is told by admission.
 * @throws InterceptError 'secret-not-found', 'unusable-secret'
 */
export async function checkTlsSecret(kube: Kube, namespace: string, name: string): Promise<void> {
  try {
    const { data } = await kube.get<Secret>(secrets, namespace, name)
    const missing = ['tls.crt', 'tls.key'].filter((key) => !data?.[key])
    if (missing.length === 0) return
    throw new InterceptError(
      'unusable-secret',
      `Secret ${namespace}/${name} has no ${missing.join(' and no ')}: it is not of type kubernetes.io/tls`,
      { fix: `kubectl get secrets -n ${namespace} --field-selector type=kubernetes.io/tls` },
    )
  } catch (error) {
    if (isKubeError(error, 'forbidden', 'denied')) return
    if (!isKubeError(error, 'not-found')) throw error
    throw new InterceptError('secret-not-found', `there is no Secret ${namespace}/${name}`, {
      cause: error,
      fix: `kubectl get secrets -n ${namespace} --field-selector type=kubernetes.io/tls`,
    })
  }
}
