import { isKubeError } from '../../src/kube/error.ts'
import type { Namespace } from '../../src/kube/objects.ts'
import { namespaces, pods } from '../../src/kube/resources.ts'
import type { Kube, KubeObject, ListOptions, ResourceType } from '../../src/kube/types.ts'
import { connectionType } from '../../src/resource/connection.ts'
import { interceptType } from '../../src/resource/intercept.ts'
import { CA_NAME, PROXY_NAME } from '../../src/resource/names.ts'
import { restoreAll } from '../../src/takeover/restore.ts'
import { deleteObject } from './delete-object.ts'
import { everyObject, INSTALL_SELECTOR } from './every-object.ts'
import { CREATED_BY, CREATED_BY_LABEL } from './namespace.ts'
import { installDefaults } from './options.ts'
import { type InstallProgress, nameOf } from './progress.ts'
import { assertOurs } from './single-installation.ts'
import { waitFor } from './wait.ts'

export interface UninstallOptions {
  readonly namespace?: string
  /** Where Intercepts and Services are looked for; all where empty. For who may not list in the whole cluster. */
  readonly namespaces?: readonly string[]
  readonly progress: InstallProgress
  /** For the proxy pods to finish each step. Default 60 s. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const defaultTimeoutMs = 60_000
/** The pods' terminationGracePeriodSeconds and a little. */
const drainMs = 100_000

/**
 * Takes an installation away, in the order that loses no request: Intercepts, until every Service is as it was (with or
 * without a living proxy); then Connections, policies, workload, rights, CRDs; at last the namespace, if it was ours.
 * Idempotent.
 */
export async function uninstall(kube: Kube, options: UninstallOptions): Promise<void> {
  const { progress, signal, timeoutMs = defaultTimeoutMs } = options
  const namespace = options.namespace ?? installDefaults.namespace
  await assertOurs(kube, namespace, 'uninstall')
  for (const place of options.namespaces?.length ? options.namespaces : [undefined]) {
    if (await deleteAll(kube, interceptType, place, progress)) {
      progress({ event: 'waiting', for: 'Intercepts to be released' })
      await gone(kube, interceptType, { namespace: place }, timeoutMs, signal)
    }
    await restoreAll(kube, place, (service, step) => progress({ event: 'released', service, step: step.kind }))
    await deleteAll(kube, connectionType, place, progress)
  }
  for (const object of [...inOrder(await everyObject(kube, namespace)), ...runtimeObjects(namespace)]) {
    signal?.throwIfAborted()
    await deleteObject(kube, object, progress)
    // Pods that drain still use their rights.
    if (object.kind === 'StatefulSet')
      await gone(kube, pods, { namespace, labelSelector: INSTALL_SELECTOR }, drainMs, signal)
  }
  await deleteNamespace(kube, namespace, progress, timeoutMs, signal)
}

/** The workload before its rights, the CRDs last. */
function inOrder(objects: readonly KubeObject[]): KubeObject[] {
  const rank = ({ kind = '' }: KubeObject): number => {
    if (kind.startsWith('ValidatingAdmissionPolicy')) return 0
    if (kind === 'StatefulSet') return 1
    return kind === 'CustomResourceDefinition' ? 3 : 2
  }
  return [...objects].sort((a, b) => rank(a) - rank(b))
}

/** What the proxy made for itself. */
function runtimeObjects(namespace: string): KubeObject[] {
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: CA_NAME, namespace } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: CA_NAME, namespace } },
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: PROXY_NAME, namespace } },
  ]
}

/** Deletes every object of the kind. @returns whether there was one; false too where the cluster does not know the kind */
async function deleteAll(
  kube: Kube,
  type: ResourceType,
  namespace: string | undefined,
  progress: InstallProgress,
): Promise<boolean> {
  let found: KubeObject[]
  try {
    found = await kube.list<KubeObject>(type, { namespace })
  } catch (error) {
    if (isKubeError(error, 'not-found')) return false
    throw error
  }
  for (const { metadata } of found) {
    await kube.delete(type, metadata.namespace, metadata.name)
    progress({ event: 'deleted', object: nameOf({ kind: type.kind, metadata }) })
  }
  return found.length > 0
}

async function deleteNamespace(
  kube: Kube,
  name: string,
  progress: InstallProgress,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = await kube.find<Namespace>(namespaces, undefined, name)
  if (found?.metadata.labels?.[CREATED_BY_LABEL] !== CREATED_BY) return
  await kube.delete(namespaces, undefined, name)
  progress({ event: 'deleted', object: nameOf({ ...found, kind: 'Namespace' }) })
  progress({ event: 'waiting', for: `namespace ${name} to end` })
  await gone(kube, namespaces, { fieldSelector: `metadata.name=${name}` }, timeoutMs, signal)
}

/** Waits until nothing of the kind is left, or the time is over: what is left then goes by itself. */
async function gone(
  kube: Kube,
  type: ResourceType,
  options: ListOptions,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const informer = kube.inform(type, options)
  try {
    await waitFor([informer], () => informer.list().length === 0 || undefined, { timeoutMs, signal })
  } finally {
    informer.stop()
  }
}
