import type { EndpointSlice, Service } from '../kube/objects.ts'
import { REPLICA_UID_ANNOTATION } from '../resource/names.ts'
import { covers, kubernetesSlices, originSlices, replicaSlices, routableAddresses } from './endpoints.ts'
import { isStale } from './origin-service.ts'
import { hasKey } from './selector.ts'

/** A proxy pod as the API server has it. */
export interface Replica {
  readonly name: string
  readonly uid: string
  /** Ready and not being deleted. */
  readonly ready: boolean
}

/** All that decides the next step for one Service. Comes from the cluster's state alone. */
export interface Observed {
  readonly service: Service
  readonly origin: Service | undefined
  /** The slices of the Service and of its origin Service. */
  readonly slices: readonly EndpointSlice[]
  readonly replicas: readonly Replica[]
  /** At least one accepted Intercept. */
  readonly wanted: boolean
}

/** One idempotent change of the cluster, or what has to happen before the next. */
export type Step =
  | { readonly kind: 'create-origin' }
  | { readonly kind: 'update-origin' }
  | { readonly kind: 'add-key' }
  | { readonly kind: 'remove-key' }
  | { readonly kind: 'delete-slice'; readonly name: string }
  | { readonly kind: 'delete-origin' }
  | { readonly kind: 'wait'; readonly for: WaitReason }
  | { readonly kind: 'done' }

export type WaitReason =
  | 'origin endpoints in the origin Service'
  | 'a ready proxy pod'
  | 'every ready proxy pod to publish itself'
  | 'Kubernetes to empty its own endpoint slices'
  | 'Kubernetes to fill its own endpoint slices'
  | 'the proxy pods to withdraw'

/** The name of a fault point and of a log line. */
export const stepName = (step: Step): string => step.kind

/**
 * The next step of the leader (or of `intercept restore`, with no replica and nothing wanted) for one Service.
 * Order of a takeover: origin Service, published replicas, key. Order of a release: key, Kubernetes' own endpoints,
 * slices, origin Service. At every moment in between some endpoint answers.
 */
export function nextStep(observed: Observed): Step {
  const anyReady = observed.replicas.some((replica) => replica.ready)
  // With no replica to take the traffic, endpoints of the origin are better than none.
  if (!observed.wanted || !anyReady) return releaseStep(observed)
  const dead = deadSlice(observed)
  return dead === undefined ? takeoverStep(observed) : { kind: 'delete-slice', name: dead }
}

/**
 * A slice that leads to a proxy pod that is gone or takes no traffic, while another pod's slice leads to a ready one.
 * Any replica may delete it, whoever leads.
 */
export function deadSlice({ service, slices, replicas }: Observed): string | undefined {
  const published = replicaSlices(slices, service.metadata.name)
  const ready = uids(replicas.filter((replica) => replica.ready))
  if (!published.some((slice) => ready.has(replicaUid(slice)))) return undefined
  return published.find((slice) => !ready.has(replicaUid(slice)))?.metadata.name
}

function takeoverStep(observed: Observed): Step {
  const { service, origin } = observed
  if (origin === undefined) return { kind: 'create-origin' }
  if (isStale(origin, service)) return { kind: 'update-origin' }
  if (!isOriginSynced(observed)) return { kind: 'wait', for: 'origin endpoints in the origin Service' }
  if (!hasKey(service)) {
    if (!allReadyPublished(observed)) return { kind: 'wait', for: 'every ready proxy pod to publish itself' }
    return { kind: 'add-key' }
  }
  const own = kubernetesSlices(observed.slices, service.metadata.name)
  if (routableAddresses(own).size > 0) return { kind: 'wait', for: 'Kubernetes to empty its own endpoint slices' }
  return { kind: 'done' }
}

function releaseStep(observed: Observed): Step {
  const { service, origin, replicas, wanted } = observed
  if (hasKey(service)) return { kind: 'remove-key' }
  if (!isKubernetesBack(observed)) return { kind: 'wait', for: 'Kubernetes to fill its own endpoint slices' }
  const slices = replicaSlices(observed.slices, service.metadata.name)
  const existing = uids(replicas)
  const dead = slices.find((slice) => !existing.has(replicaUid(slice)))
  if (dead) return { kind: 'delete-slice', name: dead.metadata.name }
  if (slices.length > 0) return { kind: 'wait', for: 'the proxy pods to withdraw' }
  if (wanted) return { kind: 'wait', for: 'a ready proxy pod' }
  if (origin !== undefined) return { kind: 'delete-origin' }
  return { kind: 'done' }
}

/** Kubernetes' own slices route to everything that the origin's do: our slices may go. */
export function isKubernetesBack({ service, origin, slices }: Observed): boolean {
  if (hasKey(service)) return false
  if (origin === undefined) return true
  return covers(kubernetesSlices(slices, service.metadata.name), originSlices(slices, origin))
}

/** The origin Service's slices hold what the Service's own do (or did): pass-through would reach every endpoint. */
export function isOriginSynced({ service, origin, slices }: Observed): boolean {
  if (origin === undefined || isStale(origin, service)) return false
  const name = service.metadata.name
  const own = originSlices(slices, origin)
  return own.length > 0 && covers(own, kubernetesSlices(slices, name))
}

function allReadyPublished({ service, slices, replicas }: Observed): boolean {
  const published = new Set(replicaSlices(slices, service.metadata.name).map(replicaUid))
  return replicas.filter((replica) => replica.ready).every((replica) => published.has(replica.uid))
}

const uids = (replicas: readonly Replica[]): Set<string | undefined> => new Set(replicas.map((replica) => replica.uid))

/** The uid of the proxy pod that a slice publishes. */
export const replicaUid = (slice: EndpointSlice): string | undefined =>
  slice.metadata.annotations?.[REPLICA_UID_ANNOTATION]
