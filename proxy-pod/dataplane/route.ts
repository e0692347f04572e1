import type { RequestHead } from '../../src/match/request.ts'
import type { Tunnel } from '../../src/tunnel/types.ts'
import type { OriginBalancer } from './origin-balancer.ts'
import type { TlsCertificate } from './tls-certificate.ts'
import type { UpstreamTls } from './tls-upstream.ts'
import type { TunnelHealth } from './tunnel-health.ts'

/** Where the traffic of one Service port goes now. Replaced as a whole when that changes. */
export interface Route {
  /** namespace/name of the Service. */
  readonly service: string
  /** Port of the Service. */
  readonly port: number
  readonly origin: OriginBalancer
  /** The accepted Intercepts of the port; no two match the same request, but mirrors. None: everything to the origin. */
  readonly claims: readonly Claim[]
  readonly health: TunnelHealth
  /** Of a connection whose TLS ended here: how its upstreams are asked. Undefined: in the open. */
  readonly tls?: UpstreamTls | undefined
  /** The origin is an address that stands for pods which change behind it: a link that were kept would stay with one. */
  readonly dialsEachRequest?: boolean
}

export interface Claim {
  /** namespace/name of the Intercept. */
  readonly intercept: string
  /** 'mirror': the origin answers, the holder gets a copy and her answers are dropped. */
  readonly mode: 'intercept' | 'mirror'
  /** Whether a request of this client (its address) is the holder's. Undefined: every connection, whatever its protocol. */
  readonly matches: ((request: RequestHead, client: string) => boolean) | undefined
  readonly onLocalDown: 'origin' | 'hold' | 'fail'
  /** How long the laptop may take to accept, in milliseconds. */
  readonly acceptTimeoutMs: number
  /** The holder's tunnel to this replica, if she ever had one; usable only where its state is 'up'. */
  tunnel(): Tunnel | undefined
  /** A workload of the cluster that answers instead of a laptop. */
  readonly workload: OriginBalancer | undefined
  /** The port speaks TLS. */
  readonly tls?: ClaimTls | undefined
}

export interface ClaimTls {
  /** As the Secret has it now; undefined where there is none that can be used. */
  certificate(): TlsCertificate | undefined
  /** The local process speaks TLS too. */
  readonly toLocal: boolean
}

/** The claim that takes every connection as it is, unparsed. */
export function rawClaim(route: Route): Claim | undefined {
  return route.claims.find(({ matches, mode }) => matches === undefined && mode === 'intercept')
}

/** Whether connections are to be followed request by request. */
export function isPerRequest(route: Route): boolean {
  return route.claims.some(({ matches, mode }) => matches !== undefined || mode === 'mirror')
}

/**
 * With what TLS of a new connection is ended; undefined: it passes unseen, or is ended already. All claims of a port name
 * one Secret.
 */
export function certificateOf(route: Route): TlsCertificate | undefined {
  if (route.tls || !isPerRequest(route)) return undefined
  return route.claims.find(({ tls }) => tls !== undefined)?.tls?.certificate()
}

/** How a local process is asked; undefined: in the open. */
export function tlsToLocal(route: Route, claim: Claim): UpstreamTls | undefined {
  return claim.tls?.toLocal ? route.tls : undefined
}

/** Whose request this is; undefined: nobody's, it goes to the origin. */
export function claimOf(route: Route, request: RequestHead, client: string): Claim | undefined {
  return route.claims.find(({ matches, mode }) => mode === 'intercept' && (matches?.(request, client) ?? true))
}

/** Who gets a copy of it. */
export function mirrorsOf(route: Route, request: RequestHead, client: string): Claim[] {
  return route.claims.filter(({ matches, mode }) => mode === 'mirror' && (matches?.(request, client) ?? true))
}

/** The tunnel that traffic of this claim goes to; undefined: to the origin. */
export function usableTunnel(claim: Claim | undefined): Tunnel | undefined {
  const tunnel = claim?.tunnel()
  return tunnel?.state === 'up' ? tunnel : undefined
}
