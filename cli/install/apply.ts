import { InterceptError } from '../../src/errors.ts'
import { isKubeError } from '../../src/kube/error.ts'
import type { Condition, Event, Pod, StatefulSet } from '../../src/kube/objects.ts'
import { customResourceDefinitions, events, namespaces, pods, statefulSets } from '../../src/kube/resources.ts'
import type { Kube, KubeObject } from '../../src/kube/types.ts'
import { PROXY_STATEFULSET } from '../../src/resource/names.ts'
import { deleteObject } from './delete-object.ts'
import { everyObject, INSTALL_SELECTOR, identityOf } from './every-object.ts'
import { installNamespace } from './namespace.ts'
import { installObjects } from './objects.ts'
import { type InstallOptions, installDefaults } from './options.ts'
import { type InstallProgress, nameOf } from './progress.ts'
import { type Rollout, rolloutOf } from './rollout.ts'
import { assertOurs } from './single-installation.ts'
import { typeOf } from './type-of.ts'
import { type WaitOptions, waitFor } from './wait.ts'

const INSTALL_FIELD_MANAGER = 'intercept-install'

export interface ApplyOptions {
  readonly progress: InstallProgress
  /** For the CustomResourceDefinition, and again for the pods. Default 180 s. */
  readonly timeoutMs?: number
  /** Default true: resolves when every replica is ready. */
  readonly wait?: boolean
  /** Only asks the API server whether it would accept everything. */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

const defaultTimeoutMs = 180_000

/**
 * Installs or upgrades with server-side apply, in order. @throws InterceptError 'installed-by-helm', 'installed-elsewhere',
 * 'install-timeout';
 * KubeError where the person may not
 */
export async function applyInstallation(
  kube: Kube,
  options: Partial<InstallOptions>,
  bundle: Buffer,
  { progress, timeoutMs = defaultTimeoutMs, wait = true, dryRun = false, signal }: ApplyOptions,
): Promise<void> {
  const namespace = options.namespace ?? installDefaults.namespace
  await assertOurs(kube, namespace, 'install')
  const waiting: WaitOptions = { timeoutMs, signal }
  await applyNamespace(kube, namespace, progress, dryRun)
  const wanted = installObjects(options, bundle)
  for (const object of wanted) {
    signal?.throwIfAborted()
    await applyObject(kube, object, progress, dryRun)
    if (object.kind === 'CustomResourceDefinition' && !dryRun) await established(kube, object.metadata.name, waiting)
  }
  if (dryRun) return
  if (wait) await rolledOut(kube, namespace, progress, waiting)
  await prune(kube, namespace, wanted, progress)
}

/** Takes away what an earlier installation with other options had: a right that is left behind is still a right. */
async function prune(
  kube: Kube,
  namespace: string,
  wanted: readonly KubeObject[],
  progress: InstallProgress,
): Promise<void> {
  const keep = new Set(wanted.map(identityOf))
  for (const object of await everyObject(kube, namespace)) {
    // Switched off, these belong to somebody else.
    const isShared = /^(CustomResourceDefinition|ValidatingAdmissionPolicy)/.test(object.kind ?? '')
    if (!isShared && !keep.has(identityOf(object))) await deleteObject(kube, object, progress)
  }
}

/** An existing namespace is left as it is, and not deleted by uninstall: it may be shared. */
async function applyNamespace(kube: Kube, name: string, progress: InstallProgress, dryRun: boolean): Promise<void> {
  const object = installNamespace(name)
  if ((await kube.find(namespaces, undefined, name)) !== undefined) {
    progress({ event: 'applied', object: nameOf(object), change: 'unchanged' })
    return
  }
  await kube.create(namespaces, object, { dryRun })
  progress({ event: 'applied', object: nameOf(object), change: 'created' })
}

async function applyObject(kube: Kube, object: KubeObject, progress: InstallProgress, dryRun: boolean): Promise<void> {
  const type = typeOf(object)
  const { name, namespace } = object.metadata
  try {
    const before = await kube.find(type, namespace, name)
    const after = await kube.patch<KubeObject>(type, namespace, name, object, {
      type: 'apply',
      fieldManager: INSTALL_FIELD_MANAGER,
      force: true,
      dryRun,
    })
    const same = before?.metadata.resourceVersion === after.metadata.resourceVersion
    const change = before === undefined ? 'created' : same ? 'unchanged' : 'changed'
    progress({ event: 'applied', object: nameOf(object), change })
  } catch (error) {
    if (object.kind === 'ServiceMonitor' && isKubeError(error, 'not-found')) {
      progress({ event: 'skipped', object: nameOf(object), reason: 'the Prometheus operator is not installed' })
      return
    }
    // A dry run has no namespace to put things in.
    if (dryRun && isKubeError(error, 'not-found') && namespace !== undefined) {
      progress({ event: 'skipped', object: nameOf(object), reason: `namespace ${namespace} does not exist yet` })
      return
    }
    throw error
  }
}

async function established(kube: Kube, name: string, options: WaitOptions): Promise<void> {
  interface Definition extends KubeObject {
    status?: { conditions?: Condition[] }
  }
  const informer = kube.inform<Definition>(customResourceDefinitions, { fieldSelector: `metadata.name=${name}` })
  try {
    const done = await waitFor(
      [informer],
      () => {
        const conditions = informer.get(undefined, name)?.status?.conditions ?? []
        return conditions.some((one) => one.type === 'Established' && one.status === 'True') || undefined
      },
      options,
    )
    if (!done) throw timedOut(`the CustomResourceDefinition ${name} is not established`, `kubectl describe crd ${name}`)
  } finally {
    informer.stop()
  }
}

async function rolledOut(
  kube: Kube,
  namespace: string,
  progress: InstallProgress,
  options: WaitOptions,
): Promise<void> {
  const labelSelector = INSTALL_SELECTOR
  const set = kube.inform<StatefulSet>(statefulSets, { namespace, fieldSelector: `metadata.name=${PROXY_STATEFULSET}` })
  const replicas = kube.inform<Pod>(pods, { namespace, labelSelector })
  const warnings = kube.inform<Event>(events, { namespace, fieldSelector: 'type=Warning' })
  let last: Rollout | undefined
  try {
    const done = await waitFor(
      [set, replicas, warnings],
      () => {
        const now = rolloutOf({
          statefulSet: set.get(namespace, PROXY_STATEFULSET),
          pods: replicas.list(),
          events: warnings.list(),
        })
        if (now.ready !== last?.ready || now.detail !== last?.detail) {
          const { ready, wanted, detail } = now
          progress({ event: 'rollout', ready, wanted, ...(detail === undefined ? {} : { detail }) })
        }
        last = now
        return now.done || undefined
      },
      options,
    )
    if (done) return
    const detail = last?.detail === undefined ? '' : `: ${last.detail}`
    throw timedOut(
      `${last?.ready ?? 0} of ${last?.wanted ?? 0} proxy pods are ready${detail}`,
      last?.fix ?? `kubectl -n ${namespace} describe pods -l ${labelSelector}`,
    )
  } finally {
    for (const informer of [set, replicas, warnings]) informer.stop()
  }
}

function timedOut(what: string, fix: string): InterceptError {
  return new InterceptError('install-timeout', `Gave up waiting: ${what}`, { fix })
}
