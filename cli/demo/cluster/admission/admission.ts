import type { Dict } from '../json.ts'
import type { ResourceDefinition } from '../resources/definition.ts'

/** Who makes a request, as authentication found. */
export interface Principal {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly definition: ResourceDefinition
  readonly subresource: string | undefined
  readonly namespace: string | undefined
  readonly name: string
  readonly user: Principal
  readonly dryRun: boolean
  /** undefined for DELETE. */
  readonly object: Dict | undefined
  /** undefined for CREATE. */
  readonly oldObject: Dict | undefined
  /** Warnings for the answer's headers. */
  readonly warnings: string[]
}

/** A step between defaulting and storage. Throws ApiError to refuse. */
export interface AdmissionPlugin {
  /** May change `request.object` in place; runs before validation. */
  mutate?(request: AdmissionRequest): void
  /** Runs after validation. */
  validate?(request: AdmissionRequest): void
}

/** What the controllers and the kubelet act as; no rule applies to it. */
export const systemPrincipal: Principal = { name: 'system:kube-controller-manager', groups: ['system:masters'] }
