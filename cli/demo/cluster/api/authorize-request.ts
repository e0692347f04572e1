import type { Principal } from '../admission/admission.ts'
import { ApiError } from '../api-error.ts'
import type { Authorizer } from './authorizer.ts'
import type { RequestInfo } from './request-info.ts'

/** Throws ApiError Forbidden where the user has no right to what is asked. */
export function authorizeRequest(
  authorizer: Authorizer,
  user: Principal,
  { resource, verb, path, query }: RequestInfo,
): void {
  if (!resource) {
    const access = { verb, path }
    if (isOpen(path) || authorizer.allowed(user, access)) return
    throw ApiError.forbidden(undefined, '', authorizer.describe(user, access))
  }
  const { group, plural, namespace, subresource } = resource
  // A list of one name is covered by a rule for that name.
  const byField = /(?:^|,)metadata\.name==?([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1]
  const access = { verb, group, resource: plural, subresource, namespace, name: resource.name ?? byField }
  if (authorizer.allowed(user, access)) return
  throw ApiError.forbidden({ group, plural, kind: plural }, resource.name ?? '', authorizer.describe(user, access))
}

/** Paths that everybody may read, as the roles system:discovery and system:public-info-viewer say. */
function isOpen(path: string): boolean {
  return /^\/(version|healthz|livez|readyz|api|apis|openapi)(\/|$)/.test(path)
}
