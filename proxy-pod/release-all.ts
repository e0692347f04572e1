import { isKubeError } from '../src/kube/error.ts'
import { namespaces as namespaceType } from '../src/kube/resources.ts'
import type { Kube, KubeObject } from '../src/kube/types.ts'
import type { Log } from '../src/log.ts'
import { connectionType } from '../src/resource/connection.ts'
import { type Intercept, interceptType } from '../src/resource/intercept.ts'
import { restoreAll } from '../src/takeover/restore.ts'

/** The chart's pre-delete hook: deletes every Intercept, waits until every Service is as it was, deletes the Connections. */
export async function releaseAll(kube: Kube, namespaces: readonly string[], log: Log): Promise<void> {
  for (const namespace of namespaces.length === 0 ? [undefined] : namespaces) {
    // One that was deleted has nothing of ours any more, and nothing may be listed in it.
    if (namespace !== undefined && !(await kube.find(namespaceType, undefined, namespace))) continue
    for (const { metadata } of await kube.list<Intercept>(interceptType, { namespace })) {
      await kube.delete(interceptType, metadata.namespace, metadata.name)
      log.info({ intercept: `${metadata.namespace}/${metadata.name}` }, 'deleted')
    }
    await restoreAll(kube, namespace, (service, step) => log.info({ service, step: step.kind }, 'step'))
    await deleteConnections(kube, namespace, log)
  }
}

async function deleteConnections(kube: Kube, namespace: string | undefined, log: Log): Promise<void> {
  let found: KubeObject[]
  try {
    found = await kube.list<KubeObject>(connectionType, { namespace })
  } catch (error) {
    // Where somebody else manages CRDs, this one may be missing.
    if (isKubeError(error, 'not-found')) return
    throw error
  }
  for (const { metadata } of found) {
    await kube.delete(connectionType, metadata.namespace, metadata.name)
    log.info({ connection: `${metadata.namespace}/${metadata.name}` }, 'deleted')
  }
}
