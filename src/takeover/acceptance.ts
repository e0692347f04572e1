import type { Service, ServicePort } from '../kube/objects.ts'
import { overlapOf } from '../match/overlap.ts'
import { whyNotRegex } from '../match/regex.ts'
import type { Intercept, InterceptSpec, Match } from '../resource/intercept.ts'
import { GATEWAY_PORT } from '../resource/names.ts'
import { whyIneligible } from './eligibility.ts'

/** Why an Intercept takes nothing over. */
export interface Refusal {
  readonly reason: 'Conflict' | 'NoSuchService' | 'NoSuchPort' | 'Unsupported' | 'HeadlessPortInUse' | 'InvalidMatch'
  readonly message: string
}

/** Oldest first; of the same second, by name. The first of two that overlap keeps the port. */
export function bySeniority(a: Intercept, b: Intercept): number {
  const [at, bt] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (at !== bt) return at < bt ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0
}

/**
 * Judges the Intercepts of one Service. Two of a port go together where no request is of both, or one only gets copies.
 * @param headlessPorts ports that other headless Services already listen on, with their names
 */
export function accept(
  service: Service | undefined,
  intercepts: readonly Intercept[],
  headlessPorts: ReadonlyMap<number, string> = new Map(),
): { accepted: Intercept[]; refused: Map<Intercept, Refusal> } {
  const accepted: Intercept[] = []
  const refused = new Map<Intercept, Refusal>()
  const taken = new Map<number, Intercept[]>()
  for (const intercept of [...intercepts].sort(bySeniority)) {
    const refusal = whyNot(service, intercept, taken, headlessPorts)
    if (refusal) {
      refused.set(intercept, refusal)
      continue
    }
    accepted.push(intercept)
    for (const { port } of intercept.spec.ports) taken.set(port, [...(taken.get(port) ?? []), intercept])
  }
  return { accepted, refused }
}

function whyNot(
  service: Service | undefined,
  { metadata, spec }: Intercept,
  taken: ReadonlyMap<number, readonly Intercept[]>,
  headlessPorts: ReadonlyMap<number, string>,
): Refusal | undefined {
  const name = `${metadata.namespace}/${spec.service}`
  if (!service) return { reason: 'NoSuchService', message: `Service ${name} does not exist` }
  const ineligible = whyIneligible(service)
  if (ineligible) return { reason: 'Unsupported', message: ineligible.message }
  const wrong = spec.match && whyInvalid(spec.match)
  if (wrong !== undefined) return { reason: 'InvalidMatch', message: wrong }
  for (const { port } of spec.ports) {
    const found = (service.spec.ports ?? []).find((one) => one.port === port && (one.protocol ?? 'TCP') === 'TCP')
    if (!found) return { reason: 'NoSuchPort', message: `Service ${name} has no TCP port ${port}` }
    for (const other of taken.get(port) ?? []) {
      const conflict = conflictOf(spec, other.spec)
      if (conflict) return { reason: 'Conflict', message: conflictMessage(name, port, other, conflict) }
    }
  }
  if (service.spec.clusterIP !== 'None') return undefined
  if ((service.spec.ports ?? []).some((port) => port.protocol !== 'UDP' && headlessPort(port) === GATEWAY_PORT)) {
    return {
      reason: 'HeadlessPortInUse',
      message: `callers of headless Service ${name} dial the pods' own port ${GATEWAY_PORT}, on which the proxy pods have their gateway`,
    }
  }
  for (const port of headlessListenPorts(service)) {
    const other = headlessPorts.get(port)
    if (other !== undefined && other !== name) {
      return {
        reason: 'HeadlessPortInUse',
        message: `headless Service ${other} is intercepted on port ${port} too, and callers of a headless Service dial the proxy pod itself: it can tell only one of them`,
      }
    }
  }
  return undefined
}

/** Why two Intercepts cannot have one port together. */
export interface Conflict {
  readonly kind: 'whole' | 'overlap' | 'tls'
  /** For people; empty where the other one simply has everything. */
  readonly reason: string
}

/** What decides whether an Intercept goes beside another. */
export type Claimed = Pick<InterceptSpec, 'mode' | 'match' | 'tls'>

/** What is in the way of `wanted` on a port that `other` has; undefined where both live side by side. */
export function conflictOf(wanted: Claimed, other: Claimed): Conflict | undefined {
  const [ours, theirs] = [wanted.tls?.secretName, other.tls?.secretName]
  if (ours !== theirs) {
    return {
      kind: 'tls',
      reason: `it ${theirs === undefined ? 'does not end TLS there' : `ends TLS there with Secret ${theirs}`}, and a port has one certificate`,
    }
  }
  if (wanted.mode === 'mirror' || other.mode === 'mirror') return undefined
  // Refused as soon as the controller sees it.
  if (other.match && whyInvalid(other.match) !== undefined) return undefined
  const overlap = overlapOf(wanted.match, other.match)
  if (!overlap) return undefined
  return other.match === undefined ? { kind: 'whole', reason: '' } : { kind: 'overlap', reason: overlap.reason }
}

/** Who holds it, since when, and which request both would match. */
export function conflictMessage(service: string, port: number, holder: Intercept, conflict?: Conflict): string {
  const since = holder.metadata.creationTimestamp ?? 'an unknown time'
  const host = holder.spec.client?.host
  return `port ${port} of Service ${service} is intercepted by ${holder.spec.holder}${host ? ` (on ${host})` : ''} since ${since}, Intercept ${holder.metadata.name}${conflict?.reason ? `: ${conflict.reason}` : ''}`
}

/** What the CRD cannot check: objects from kubectl come past the command line. */
export function whyInvalid({ headers = [], queries = [], paths = [] }: Match): string | undefined {
  for (const { regex } of [...headers, ...queries, ...paths]) {
    const why = regex === undefined ? undefined : whyNotRegex(regex)
    if (why !== undefined) return `spec.match: '${regex}' is not a regular expression of RE2: ${why}`
  }
  return undefined
}

/** The ports on which the proxy pods listen for a headless Service: the pods' own. */
export function headlessListenPorts(service: Service): number[] {
  return (service.spec.ports ?? []).map(headlessPort)
}

const headlessPort = ({ port, targetPort }: ServicePort): number => (typeof targetPort === 'number' ? targetPort : port)
