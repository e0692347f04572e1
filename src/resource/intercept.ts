import type * as z from 'zod'
import type { ObjectMeta, ResourceType } from '../kube/types.ts'
import { GROUP, VERSION } from './names.ts'
import type { interceptSpec, interceptStatus } from './schema.ts'

export type InterceptSpec = z.output<typeof interceptSpec>
/** What one writes: the fields with defaults may be left out. */
export type InterceptSpecInput = z.input<typeof interceptSpec>
export type InterceptMode = InterceptSpec['mode']
/** A workload that answers instead of a laptop. */
export type InterceptWorkload = NonNullable<InterceptSpec['to']>
export type { Match } from './match-schema.ts'
export type InterceptStatus = z.output<typeof interceptStatus>
export type InterceptPhase = NonNullable<InterceptStatus['phase']>
export type InterceptReplica = NonNullable<InterceptStatus['replicas']>[number]
export type InterceptCondition = NonNullable<InterceptStatus['conditions']>[number]
export type InterceptConditionType = 'Accepted' | 'TakenOver' | 'Connected' | 'TlsReady'

/** One person's hold on ports of one Service, in the Service's namespace. */
export interface Intercept {
  apiVersion: 'intercept.dev/v1alpha1'
  kind: 'Intercept'
  metadata: ObjectMeta & { namespace: string }
  spec: InterceptSpec
  status?: InterceptStatus
}

export const interceptType: ResourceType = {
  group: GROUP,
  version: VERSION,
  plural: 'intercepts',
  kind: 'Intercept',
  namespaced: true,
}

/** What one that is held by a laptop has without `spec.ttlSeconds`. */
export const DEFAULT_TTL_SECONDS = 900

/** How long the Intercept lives, in seconds; undefined: until somebody deletes it. */
export function lifetimeOf({
  to,
  ttlSeconds,
}: InterceptSpec): { seconds: number; from: 'created' | 'lastSeen' } | undefined {
  if (to === undefined) return { seconds: ttlSeconds ?? DEFAULT_TTL_SECONDS, from: 'lastSeen' }
  return ttlSeconds === undefined ? undefined : { seconds: ttlSeconds, from: 'created' }
}
