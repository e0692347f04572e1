import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, dig, ensureDict, listOf } from '../json.ts'
import { nameSuffix } from '../resources/name-rules.ts'
import { containersOf } from '../resources/pod-defaults.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Gives each pod its service account and the volume with the account's token. */
export class ServiceAccountAdmission implements AdmissionPlugin {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  mutate({ definition, operation, object, namespace, name }: AdmissionRequest): void {
    if (definition.key !== 'pods' || operation !== 'CREATE' || !object) return
    const spec = ensureDict(object, 'spec')
    const account = String(spec.serviceAccountName ?? 'default')
    spec.serviceAccountName = account
    const found = this.#store.get('serviceaccounts', namespace, account)
    if (!found) {
      const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`
      const shown = dig(object, 'metadata', 'generateName') ?? name
      throw ApiError.forbidden(definition, String(shown), why)
    }
    if ((spec.automountServiceAccountToken ?? dig(found, 'automountServiceAccountToken')) === false) return
    const volume = `kube-api-access-${nameSuffix()}`
    let mounted = false
    for (const container of containersOf(spec)) {
      const mounts = listOf(container.volumeMounts)
      if (mounts.some((mount) => dictOf(mount).mountPath === mountPath)) continue
      container.volumeMounts = [...mounts, { name: volume, readOnly: true, mountPath }]
      mounted = true
    }
    if (mounted) spec.volumes = [...listOf(spec.volumes), accessVolume(volume)]
  }
}

function accessVolume(name: string): Dict {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: 3_607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 420,
    },
  }
}
