import { type Principal, systemPrincipal } from '../admission/admission.ts'

/** What one write is allowed and asked to do besides its object. */
export interface WriteContext {
  readonly user: Principal
  /** Field manager, recorded in managedFields. */
  readonly manager: string
  readonly dryRun: boolean
  /** What happens with fields that the schema does not know. */
  readonly validation: 'Strict' | 'Warn' | 'Ignore'
  /** Server-side apply takes fields from other managers. */
  readonly force: boolean
  readonly warnings: string[]
  /** The cluster's own components: no admission, no managedFields. */
  readonly internal: boolean
}

export function internalContext(): WriteContext {
  return {
    user: systemPrincipal,
    manager: 'kube-controller-manager',
    dryRun: false,
    validation: 'Ignore',
    force: true,
    warnings: [],
    internal: true,
  }
}
