import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Catalogue } from '../resources/catalogue.ts'
import type { Control } from './control.ts'

interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] }
}

/** Gives a new namespace its service account and CA, and empties one that is being deleted before it goes. */
export function reconcileNamespace(control: Control, catalogue: Catalogue, ca: string, name: string): void {
  const namespace = control.store.get<Namespace>('namespaces', undefined, name)
  if (!namespace) return
  if (!namespace.metadata.deletionTimestamp) {
    provision(control, ca, name)
    return
  }
  let left = 0
  for (const resource of new Set(catalogue.all().map(({ key }) => key))) {
    for (const object of control.store.list(resource, name)) {
      if (!object.metadata.deletionTimestamp) control.delete(resource, object)
    }
    left += control.store.list(resource, name).length
  }
  if (left > 0) return
  const emptied = control.edit<Namespace>('namespaces', namespace, (draft) => {
    draft.spec = {}
  })
  if (emptied) control.delete('namespaces', emptied)
}

function provision(control: Control, ca: string, namespace: string): void {
  if (!control.store.get('serviceaccounts', namespace, 'default')) {
    control.create('serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    })
  }
  if (!control.store.get('configmaps', namespace, 'kube-root-ca.crt')) {
    const metadata = { name: 'kube-root-ca.crt', namespace }
    control.create('configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'ca.crt': ca },
    } as KubeObject)
  }
}
