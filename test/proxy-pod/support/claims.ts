import type { Claim } from '../../../proxy-pod/dataplane/route.ts'
import type { Tunnel } from '../../../src/tunnel/index.ts'

/** A claim of requests whose target begins with `/mine`, unless told otherwise. */
export function filteredClaim(tunnel: Tunnel | undefined, changes: Partial<Claim> = {}): Claim {
  return {
    intercept: 'shop/orders-ada',
    mode: 'intercept',
    matches: ({ target }) => target.startsWith('/mine'),
    workload: undefined,
    onLocalDown: 'origin',
    acceptTimeoutMs: 10_000,
    tunnel: () => tunnel,
    ...changes,
  }
}
