import { ApiError } from '../api-error.ts'
import { dictOf, ensureDict } from '../json.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

/** Objects are created only in namespaces that exist and stay; the three of Kubernetes itself cannot be deleted. */
export class NamespaceLifecycle implements AdmissionPlugin {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  mutate(request: AdmissionRequest): void {
    const { definition, operation, namespace, name, object } = request
    if (operation === 'CREATE' && definition.key === 'namespaces' && object) {
      const metadata = ensureDict(object, 'metadata')
      metadata.labels = { ...dictOf(metadata.labels), 'kubernetes.io/metadata.name': name }
      object.spec = { finalizers: ['kubernetes'] }
      object.status = { phase: 'Active' }
    }
    if (operation !== 'CREATE' || !definition.namespaced) return
    const found = this.#store.get('namespaces', undefined, namespace ?? '')
    if (!found) throw ApiError.notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace ?? '')
    if (found.metadata.deletionTimestamp) {
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`
      const { code, reason, message, details } = ApiError.forbidden(definition, name, why)
      const causes = [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ]
      throw new ApiError(code, reason, message, { ...details, causes })
    }
  }

  validate({ definition, operation, name }: AdmissionRequest): void {
    if (operation === 'DELETE' && definition.key === 'namespaces' && immortal.has(name)) {
      throw ApiError.forbidden(definition, name, 'this namespace may not be deleted')
    }
  }
}
