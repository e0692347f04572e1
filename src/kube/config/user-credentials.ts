import type { Credentials } from './access.ts'
import { execCredentials } from './exec.ts'
import { fileOrData } from './file-or-data.ts'
import type { ClusterEntry, FromFile, UserEntry } from './kubeconfig.ts'
import { pathIn } from './kubeconfig.ts'
import { oidcToken } from './oidc.ts'
import { tokenFile } from './token-file.ts'

export interface UserSurroundings {
  readonly cluster: FromFile<ClusterEntry>
  readonly userName: string
}

type Provider = (renew: boolean) => Promise<Credentials>

/** How a kubeconfig's user proves who it is. The order of precedence is kubectl's. */
export function userCredentials(user: FromFile<UserEntry> | undefined, around: UserSurroundings): Provider {
  if (user === undefined) return async () => ({ headers: {} })
  const impersonation = impersonationOf(user.value)
  const bearer = bearerOf(user, around)
  const exec = bearer === undefined && user.value.exec ? execCredentials(user, user.value.exec, around) : undefined
  return async (renew) => {
    const { value } = user
    const cert = fileOrData(user, value['client-certificate'], value['client-certificate-data'])
    const key = fileOrData(user, value['client-key'], value['client-key-data'])
    const own = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) }
    if (exec !== undefined) {
      const got = await exec(renew)
      return { ...own, ...got, headers: { ...got.headers, ...impersonation } }
    }
    const authorization = await bearer?.(renew)
    return { ...own, headers: { ...(authorization === undefined ? {} : { authorization }), ...impersonation } }
  }
}

function bearerOf(
  user: FromFile<UserEntry>,
  around: UserSurroundings,
): ((renew: boolean) => Promise<string>) | undefined {
  const { value } = user
  if (value.tokenFile) {
    const read = tokenFile(pathIn(user, value.tokenFile))
    return async (renew) => `Bearer ${await read(renew)}`
  }
  if (value.token) {
    const { token } = value
    return async () => `Bearer ${token}`
  }
  if (value.username) {
    const basic = Buffer.from(`${value.username}:${value.password ?? ''}`).toString('base64')
    return async () => `Basic ${basic}`
  }
  if (value['auth-provider']?.name === 'oidc') {
    const token = oidcToken(user, value['auth-provider'].config ?? {}, around)
    return async (renew) => `Bearer ${await token(renew)}`
  }
  return undefined
}

function impersonationOf(user: UserEntry): Credentials['headers'] {
  const headers: Record<string, string | string[]> = {}
  if (user.as) headers['impersonate-user'] = user.as
  if (user['as-uid']) headers['impersonate-uid'] = user['as-uid']
  if (user['as-groups']?.length) headers['impersonate-group'] = user['as-groups']
  for (const [key, values] of Object.entries(user['as-user-extra'] ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`] = values
  }
  return headers
}
