import { compileMatch } from '../../src/match/compile.ts'
import type { Intercept, InterceptSpec } from '../../src/resource/intercept.ts'
import type { OriginEndpoint } from '../../src/takeover/endpoints.ts'
import type { Tunnel } from '../../src/tunnel/types.ts'
import { interceptKeyOf } from '../controller/cluster-view.ts'
import { OriginBalancer } from './origin-balancer.ts'
import type { Claim, ClaimTls } from './route.ts'
import type { TlsCertificate } from './tls-certificate.ts'

export interface ClaimSources {
  /** How long a laptop may take to accept a connection before it goes to the origin, in milliseconds. */
  readonly acceptTimeoutMs: number
  tunnelOf(intercept: string): Tunnel | undefined
  /** Where the workload of an Intercept that has one can be reached now. */
  endpointsOf(intercept: Intercept, port: number): readonly OriginEndpoint[]
  /** With what TLS is ended where the Intercept names this Secret of its namespace. */
  certificateOf(namespace: string, secretName: string): TlsCertificate | undefined
}

/** Makes the claims of one Service from its accepted Intercepts. What an Intercept says once is read once. */
export class Claims {
  readonly #sources: ClaimSources
  /** By the Intercept's uid and the port. */
  #made = new Map<string, Claim>()

  constructor(sources: ClaimSources) {
    this.#sources = sources
  }

  /** By number of the Service's port. */
  of(accepted: readonly Intercept[]): Map<number, Claim[]> {
    const made = new Map<string, Claim>()
    const byPort = new Map<number, Claim[]>()
    for (const intercept of accepted) {
      for (const { port } of intercept.spec.ports) {
        const key = `${intercept.metadata.uid} ${intercept.metadata.generation} ${port}`
        const claim = this.#made.get(key) ?? this.#make(intercept)
        claim.workload?.update(this.#sources.endpointsOf(intercept, port), false)
        made.set(key, claim)
        byPort.set(port, [...(byPort.get(port) ?? []), claim])
      }
    }
    this.#made = made
    return byPort
  }

  #make(intercept: Intercept): Claim {
    const { spec, metadata } = intercept
    const key = interceptKeyOf(intercept)
    const holdMs = spec.onLocalDown === 'hold' ? spec.holdSeconds * 1000 : 0
    return {
      intercept: key,
      mode: spec.mode,
      matches: spec.match && compileMatch(spec.match, metadata.uid ?? key),
      onLocalDown: spec.onLocalDown,
      acceptTimeoutMs: this.#sources.acceptTimeoutMs + holdMs,
      tunnel: () => this.#sources.tunnelOf(key),
      workload: spec.to && new OriginBalancer(),
      tls: spec.tls && this.#tlsOf(metadata.namespace, spec.tls),
    }
  }

  #tlsOf(namespace: string, { secretName, toLocal }: NonNullable<InterceptSpec['tls']>): ClaimTls {
    return { certificate: () => this.#sources.certificateOf(namespace, secretName), toLocal }
  }
}
