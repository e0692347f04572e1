import { describeMatch } from '../../src/match/describe.ts'
import {
  type Intercept,
  type InterceptCondition,
  type InterceptPhase,
  type InterceptStatus,
  lifetimeOf,
} from '../../src/resource/intercept.ts'
import type { Refusal } from '../../src/takeover/acceptance.ts'
import type { Step } from '../../src/takeover/plan.ts'
import type { TlsTrouble } from './tls-secrets.ts'

/** What the leader knows of one Intercept when it writes the status. */
export interface StatusFacts {
  readonly intercept: Intercept
  readonly refusal: Refusal | undefined
  /** The next step for its Service; undefined where there is no such Service. */
  readonly step: Step | undefined
  readonly error: string | undefined
  /** Why TLS of its ports passes unseen to the origin, where it was to be ended. */
  readonly tlsTrouble?: TlsTrouble | undefined
  /** How long the takeover took, where it has just ended, in milliseconds. */
  readonly tookMs?: number | undefined
  /** Uids of the proxy pods that take traffic now. */
  readonly readyUids: ReadonlySet<string>
  readonly now: string
}

/** The leader's part of the status: everything but `replicas`, which each replica writes for itself. */
export function leaderStatus(facts: StatusFacts): Omit<InterceptStatus, 'replicas'> {
  const { intercept, refusal, step, error, tlsTrouble, tookMs, readyUids, now } = facts
  const readyReplicas = readyUids.size
  const connected = connectedReplicas(intercept, readyUids)
  const takenOver = step?.kind === 'done'
  const wasConnected = (intercept.status?.replicas ?? []).length > 0
  const phase: InterceptPhase = refusal
    ? 'Failed'
    : !takenOver
      ? step === undefined
        ? 'Pending'
        : 'TakingOver'
      : connected > 0 || intercept.spec.to
        ? 'Active'
        : wasConnected
          ? 'Disconnected'
          : 'Pending'
  const waiting = step?.kind === 'wait' ? `waiting for ${step.for}` : undefined
  const message = refusal?.message ?? error ?? waiting ?? tlsTrouble?.message
  const condition = (
    type: InterceptCondition['type'],
    is: boolean,
    reason: string,
    text: string,
  ): InterceptCondition => {
    const before = intercept.status?.conditions?.find((one) => one.type === type)
    const status = is ? 'True' : 'False'
    return {
      type,
      status,
      reason,
      message: text,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
    }
  }
  const takeoverMs = intercept.status?.takeoverMs ?? tookMs
  return {
    phase,
    ports: intercept.spec.ports.map(({ port }) => port).join(', '),
    match: matchText(intercept),
    observedGeneration: intercept.metadata.generation ?? 1,
    connected: intercept.spec.to ? 'workload' : `${connected}/${readyReplicas}`,
    ...(message === undefined ? {} : { message }),
    ...(takeoverMs === undefined ? {} : { takeoverMs }),
    conditions: [
      condition('Accepted', !refusal, refusal?.reason ?? 'Accepted', refusal?.message ?? ''),
      condition(
        'TakenOver',
        takenOver && !refusal,
        takenOver ? 'TakenOver' : (step?.kind ?? 'Pending'),
        waiting ?? error ?? '',
      ),
      intercept.spec.to
        ? condition('Connected', true, 'Workload', `${intercept.spec.to.kind} ${intercept.spec.to.name} answers`)
        : condition(
            'Connected',
            connected > 0,
            connected > 0 ? 'Connected' : 'NoTunnel',
            `${connected} of ${readyReplicas} proxy pods`,
          ),
      ...(intercept.spec.tls
        ? [condition('TlsReady', !tlsTrouble, tlsTrouble?.reason ?? 'CertificateRead', tlsTrouble?.message ?? '')]
        : []),
    ],
  }
}

/** Living replicas that have the holder's tunnel. What a dead one last wrote does not count. */
const connectedReplicas = (intercept: Intercept, readyUids: ReadonlySet<string>): number =>
  (intercept.status?.replicas ?? []).filter((replica) => replica.connected && readyUids.has(replica.uid)).length

/** Milliseconds for which the holder has had no tunnel; 0 while she has one. */
export function absentMs(intercept: Intercept, readyUids: ReadonlySet<string>, now: number): number {
  const replicas = intercept.status?.replicas ?? []
  if (connectedReplicas(intercept, readyUids) > 0) return 0
  const seen = [intercept.metadata.creationTimestamp, ...replicas.map((replica) => replica.lastSeen)]
    .map((time) => Date.parse(time ?? ''))
    .filter((time) => !Number.isNaN(time))
  return Math.max(0, now - Math.max(...seen, 0))
}

/** Whether its time is over: its holder is gone for long, or it was made for so long. */
export function isExpired(intercept: Intercept, readyUids: ReadonlySet<string>, now: number): boolean {
  const lifetime = lifetimeOf(intercept.spec)
  if (!lifetime) return false
  const ageMs = (): number => now - Date.parse(intercept.metadata.creationTimestamp ?? new Date(now).toISOString())
  return (lifetime.from === 'created' ? ageMs() : absentMs(intercept, readyUids, now)) > lifetime.seconds * 1000
}

/** The status has room for this much. */
const maxMatchText = 1024

function matchText({ spec }: Intercept): string {
  const text = `${spec.mode === 'mirror' ? 'copies of ' : ''}${describeMatch(spec.match)}`
  return text.length > maxMatchText ? `${text.slice(0, maxMatchText - 1)}…` : text
}
