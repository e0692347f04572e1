import { ApiError } from '../api-error.ts'
import type { PodPorts } from '../network/reach.ts'
import type { Catalogue } from '../resources/catalogue.ts'
import { includesLabels } from '../store/label-selector.ts'
import type { StoreEvent } from '../store/store.ts'
import { aggregateRoles, clusterRoles } from './aggregated-roles.ts'
import type { Control } from './control.ts'
import { deployments, reconcileDeployment } from './deployments.ts'
import { budgets, reconcileBudget } from './disruption-budgets.ts'
import { reconcileMirror } from './endpoint-mirror.ts'
import { managedBy, managedByLabel, reconcileSlices, serviceNameLabel, slicesKey } from './endpoint-slices.ts'
import { reconcileEndpoints } from './endpoints.ts'
import { recordEvent } from './events.ts'
import { GarbageCollector } from './garbage-collector.ts'
import { jobs, reconcileJob } from './jobs.ts'
import { reconcileNamespace } from './namespaces.ts'
import { controllerOf } from './owner.ts'
import { reconcileReplicaSet, replicaSets } from './replica-sets.ts'
import { type Service, selectorOf } from './service-pods.ts'
import { reconcileStatefulSet, statefulSets } from './stateful-sets.ts'
import { WorkQueue } from './work-queue.ts'

export interface ControllersOptions {
  readonly control: Control
  readonly catalogue: Catalogue
  readonly podPorts: PodPorts
  /** PEM of the API server's CA, for kube-root-ca.crt. */
  readonly ca: string
  onError(what: string, error: unknown): void
}

/** What the controller manager does: turns events of the store into work for one controller or another. */
export class Controllers {
  readonly #queue: WorkQueue
  readonly #garbage: GarbageCollector
  readonly #options: ControllersOptions
  readonly #stop: () => void

  constructor(options: ControllersOptions) {
    this.#options = options
    this.#queue = new WorkQueue(
      (key) => this.#reconcile(key),
      (key, error) => this.#failed(key, error),
    )
    this.#garbage = new GarbageCollector(options.control, options.catalogue, options.onError)
    this.#stop = options.control.store.onEvent((event) => {
      this.#garbage.onEvent(event)
      this.#onEvent(event)
    })
  }

  close(): void {
    this.#stop()
    this.#queue.close()
    this.#garbage.close()
  }

  #onEvent({ resource, object, previous }: StoreEvent): void {
    const { namespace, name } = object.metadata
    if (namespace === undefined) {
      if (resource === 'namespaces') this.#queue.add(`namespaces /${name}`)
      if (resource === clusterRoles) this.#queue.add(`${clusterRoles} /`)
      return
    }
    const add = (kind: string, which: string) => this.#queue.add(`${kind} ${namespace}/${which}`)
    if (this.#options.control.store.get('namespaces', undefined, namespace)?.metadata.deletionTimestamp) {
      this.#queue.add(`namespaces /${namespace}`)
    }
    switch (resource) {
      case deployments:
      case replicaSets:
      case statefulSets:
      case jobs:
      case budgets:
        add(resource, name)
        break
      case 'services':
        for (const kind of ['slices', 'endpoints', 'mirror']) add(kind, name)
        break
      case 'endpoints':
        for (const kind of ['endpoints', 'mirror']) add(kind, name)
        break
      case slicesKey: {
        const service = object.metadata.labels?.[serviceNameLabel]
        if (service && object.metadata.labels?.[managedByLabel] === managedBy) add('slices', service)
        break
      }
      case 'pods':
        for (const labels of [object.metadata.labels, previous?.metadata.labels]) this.#podChanged(namespace, labels)
        break
      default:
        break
    }
    const owner = controllerOf(object)
    if (owner?.kind === 'ReplicaSet') add(replicaSets, owner.name)
    if (owner?.kind === 'Deployment') add(deployments, owner.name)
    if (owner?.kind === 'StatefulSet') add(statefulSets, owner.name)
    if (owner?.kind === 'Job') add(jobs, owner.name)
  }

  #podChanged(namespace: string, labels: Record<string, string> | undefined): void {
    const { store } = this.#options.control
    for (const service of store.list<Service>('services', namespace)) {
      const selector = selectorOf(service)
      if (!selector || !includesLabels(labels, selector)) continue
      this.#queue.add(`slices ${namespace}/${service.metadata.name}`)
      this.#queue.add(`endpoints ${namespace}/${service.metadata.name}`)
    }
    for (const budget of store.list(budgets, namespace))
      this.#queue.add(`${budgets} ${namespace}/${budget.metadata.name}`)
  }

  /** What the API server refuses a workload is told to whoever looks at the workload; anything else is a bug. */
  #failed(key: string, error: unknown): void {
    const [resource = '', id = '/'] = key.split(' ')
    const [namespace, name = ''] = id.split('/')
    const { control, onError } = this.#options
    const object = control.store.get(resource, namespace, name)
    if (object && error instanceof ApiError) {
      recordEvent(control, object, 'Warning', 'FailedCreate', `Error creating: ${error.message}`, 'controller')
    } else onError(key, error)
  }

  #reconcile(key: string): void {
    const { control, podPorts, catalogue, ca } = this.#options
    const [kind, id = '/'] = key.split(' ')
    const [namespace = '', name = ''] = id.split('/')
    switch (kind) {
      case deployments:
        reconcileDeployment(control, namespace, name)
        break
      case replicaSets:
        reconcileReplicaSet(control, namespace, name)
        break
      case statefulSets:
        reconcileStatefulSet(control, namespace, name)
        break
      case jobs:
        reconcileJob(control, namespace, name)
        break
      case budgets:
        reconcileBudget(control, namespace, name)
        break
      case 'slices':
        reconcileSlices(control, podPorts, namespace, name)
        break
      case 'endpoints':
        reconcileEndpoints(control, podPorts, namespace, name)
        break
      case 'mirror':
        reconcileMirror(control, namespace, name)
        break
      case clusterRoles:
        aggregateRoles(control)
        break
      case 'namespaces':
        reconcileNamespace(control, catalogue, ca, name)
        break
      default:
        throw new Error(`no controller for ${kind}`)
    }
  }
}
