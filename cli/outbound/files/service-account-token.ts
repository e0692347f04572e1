import { InterceptError } from '../../../src/errors.ts'
import type { TokenRequest } from '../../../src/kube/objects.ts'
import { pathOf } from '../../../src/kube/paths.ts'
import { serviceAccounts } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'

export interface GrantedToken {
  readonly token: string
  /** For how long it is good, from now on; perhaps not what was asked for. */
  readonly seconds: number
}

/**
 * A fresh token of a service account, by TokenRequest. It is bound to no pod: it outlives the one that the laptop stands
 * for. Without an audience it is for the API server. @throws KubeError
 */
export async function requestToken(
  kube: Kube,
  namespace: string,
  account: string,
  options: { readonly audience: string | undefined; readonly seconds: number },
): Promise<GrantedToken> {
  const { audience, seconds } = options
  const request: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { ...(audience === undefined ? {} : { audiences: [audience] }), expirationSeconds: seconds },
  }
  const path = pathOf(serviceAccounts, namespace, account, 'token')
  const { spec, status } = await kube.request<TokenRequest>('POST', path, request)
  if (!status) throw new InterceptError('no-token', `the API server gave no token of ${namespace}/${account}`)
  return { token: status.token, seconds: spec.expirationSeconds ?? seconds }
}
