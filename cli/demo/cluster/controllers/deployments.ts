import { createHash } from 'node:crypto'
import { sameJson } from '../json.ts'
import { timestamp } from '../timestamp.ts'
import type { Control } from './control.ts'
import { controlledBy, controllerOf } from './owner.ts'
import { replicaSets } from './replica-sets.ts'
import type { PodTemplate, Workload, WorkloadCondition } from './workload.ts'

export const deployments = 'deployments.apps'
const revisionAnnotation = 'deployment.kubernetes.io/revision'

/** Rolls a Deployment's pods from one ReplicaSet to the next within maxSurge and maxUnavailable. */
export function reconcileDeployment(control: Control, namespace: string, name: string): void {
  const deployment = control.store.get<Workload>(deployments, namespace, name)
  if (!deployment || deployment.metadata.deletionTimestamp) return
  const sets = control.store
    .list<Workload>(replicaSets, namespace)
    .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid)
  const current = currentSet(control, deployment, sets)
  const old = sets.filter((set) => set.metadata.uid !== current.metadata.uid)
  if (!deployment.spec.paused) roll(control, deployment, current, old)
  report(control, deployment, current.metadata.name)
}

function currentSet(control: Control, deployment: Workload, sets: readonly Workload[]): Workload {
  const { template, selector } = deployment.spec
  const found = sets.find((set) => sameJson(withoutHash(set.spec.template), template))
  const newest = Math.max(0, ...sets.map(revisionOf))
  if (found && revisionOf(found) === newest) return found
  const revision = newest + 1
  if (found) return rolledBack(control, deployment, found, revision)
  const hash = hashOf(template)
  const labels = { ...template.metadata?.labels, 'pod-template-hash': hash }
  const created = control.create<Workload>(replicaSets, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: { [revisionAnnotation]: String(revision) },
      ownerReferences: [controlledBy(deployment, 'apps/v1', 'Deployment')],
    },
    spec: {
      replicas: 0,
      selector: withHash(selector, hash),
      template: { ...structuredClone(template), metadata: { ...structuredClone(template.metadata), labels } },
    },
  })
  setRevision(control, deployments, deployment, revision)
  return created
}

/** An old ReplicaSet fits again: it is the newest revision now. */
function rolledBack(control: Control, deployment: Workload, set: Workload, revision: number): Workload {
  setRevision(control, deployments, deployment, revision)
  return setRevision(control, replicaSets, set, revision) ?? set
}

function setRevision(control: Control, resource: string, object: Workload, revision: number): Workload | undefined {
  return control.edit<Workload>(resource, object, (draft) => {
    draft.metadata.annotations = { ...draft.metadata.annotations, [revisionAnnotation]: String(revision) }
  })
}

function revisionOf(set: Workload): number {
  return Number(set.metadata.annotations?.[revisionAnnotation] ?? 0)
}

function roll(control: Control, deployment: Workload, current: Workload, old: readonly Workload[]): void {
  const wanted = deployment.spec.replicas
  const available = (set: Workload) => set.status?.availableReplicas ?? 0
  const recreate = deployment.spec.strategy?.type === 'Recreate'
  const surge = recreate ? 0 : share(deployment.spec.strategy?.rollingUpdate?.maxSurge, wanted, Math.ceil)
  let spare = share(deployment.spec.strategy?.rollingUpdate?.maxUnavailable, wanted, Math.floor)
  if (surge === 0 && spare === 0) spare = 1
  const oldTotal = old.reduce((sum, set) => sum + Math.max(set.spec.replicas, set.status?.replicas ?? 0), 0)
  const room = recreate ? (oldTotal === 0 ? wanted : 0) : Math.max(0, wanted + surge - oldTotal)
  scale(control, current, Math.min(wanted, Math.max(Math.min(current.spec.replicas, wanted), room)))
  let removable = recreate
    ? oldTotal
    : old.reduce((sum, set) => sum + available(set), available(current)) - (wanted - spare)
  for (const set of old) {
    const unavailable = set.spec.replicas - available(set)
    const drop = Math.min(set.spec.replicas, Math.max(0, removable) + Math.max(0, unavailable))
    removable -= Math.max(0, drop - unavailable)
    scale(control, set, set.spec.replicas - drop)
  }
  const limit = deployment.spec.revisionHistoryLimit ?? 10
  const idle = old.filter((set) => set.spec.replicas === 0 && (set.status?.replicas ?? 0) === 0)
  for (const set of idle.slice(0, Math.max(0, idle.length - limit))) control.delete(replicaSets, set)
}

function report(control: Control, deployment: Workload, currentName: string): void {
  const sets = control.store
    .list<Workload>(replicaSets, deployment.metadata.namespace)
    .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid)
  const sum = (field: 'replicas' | 'readyReplicas' | 'availableReplicas') =>
    sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0)
  const current = sets.find((set) => set.metadata.name === currentName)
  const [total, ready, available] = [sum('replicas'), sum('readyReplicas'), sum('availableReplicas')]
  const updated = current?.status?.replicas ?? 0
  const wanted = deployment.spec.replicas
  const done = updated === wanted && total === wanted && (current?.status?.availableReplicas ?? 0) === wanted
  control.editStatus<Workload>(deployments, deployment, (draft) => {
    const known = draft.status?.conditions ?? []
    draft.status = {
      observedGeneration: draft.metadata.generation ?? 1,
      ...(total > 0 ? { replicas: total } : {}),
      ...(updated > 0 ? { updatedReplicas: updated } : {}),
      ...(ready > 0 ? { readyReplicas: ready } : {}),
      ...(available > 0 ? { availableReplicas: available } : {}),
      ...(wanted > available ? { unavailableReplicas: wanted - available } : {}),
      conditions: [
        condition(
          known,
          'Available',
          available >= wanted - share(deployment.spec.strategy?.rollingUpdate?.maxUnavailable, wanted, Math.floor),
          ['MinimumReplicasAvailable', 'Deployment has minimum availability.'],
          ['MinimumReplicasUnavailable', 'Deployment does not have minimum availability.'],
        ),
        condition(
          known,
          'Progressing',
          true,
          done
            ? ['NewReplicaSetAvailable', `ReplicaSet "${currentName}" has successfully progressed.`]
            : ['ReplicaSetUpdated', `ReplicaSet "${currentName}" is progressing.`],
          ['', ''],
        ),
      ],
    }
  })
}

function condition(
  known: readonly WorkloadCondition[],
  type: string,
  holds: boolean,
  yes: [string, string],
  no: [string, string],
): WorkloadCondition {
  const before = known.find((each) => each.type === type)
  const [reason, message] = holds ? yes : no
  const status = holds ? 'True' : 'False'
  if (before?.status === status && before.reason === reason && before.message === message) return before
  const now = timestamp()
  return {
    type,
    status,
    lastUpdateTime: now,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
    reason,
    message,
  }
}

function scale(control: Control, set: Workload, replicas: number): void {
  if (set.spec.replicas === replicas) return
  control.edit<Workload>(replicaSets, set, (draft) => {
    draft.spec.replicas = replicas
  })
}

function share(value: number | string | undefined, of: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  return value?.endsWith('%') ? round((Number.parseFloat(value) / 100) * of) : 0
}

function hashOf(template: PodTemplate): string {
  return createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10)
}

function withHash(selector: unknown, hash: string): unknown {
  const { matchLabels, ...rest } = (selector ?? {}) as { matchLabels?: Record<string, string> }
  return { ...rest, matchLabels: { ...matchLabels, 'pod-template-hash': hash } }
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { 'pod-template-hash': _, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}
