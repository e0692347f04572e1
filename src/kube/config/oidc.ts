import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { parseDocument } from 'yaml'
import { messageOf } from '../../errors.ts'
import { KubeError } from '../error.ts'
import { fileOrData } from './file-or-data.ts'
import type { FromFile, UserEntry } from './kubeconfig.ts'
import type { UserSurroundings } from './user-credentials.ts'

type OidcConfig = Record<string, string>

const leewayMs = 10_000
const timeoutMs = 20_000

/**
 * The id token of kubeconfig's `auth-provider: oidc`, refreshed with its refresh token when it expires. As kubectl does,
 * the new tokens are written back to the kubeconfig: many issuers accept a refresh token once only.
 */
export function oidcToken(
  user: FromFile<UserEntry>,
  config: OidcConfig,
  around: UserSurroundings,
): (renew: boolean) => Promise<string> {
  let idToken = config['id-token']
  let refreshToken = config['refresh-token']
  let running: Promise<string> | undefined
  const refresh = async () => {
    if (!refreshToken) throw expired('the token has expired and there is no refresh token', undefined)
    const got = await refreshed(user, config, refreshToken)
    idToken = got.id_token
    refreshToken = got.refresh_token ?? refreshToken
    keep(user.file, around.userName, idToken, refreshToken)
    return idToken
  }
  return async (renew) => {
    if (!renew && idToken && Date.now() < expiryOf(idToken) - leewayMs) return idToken
    running ??= refresh().finally(() => {
      running = undefined
    })
    return running
  }
}

/** Milliseconds since 1970; 0 where the token is not a JWT with `exp`. */
export function expiryOf(jwt: string): number {
  try {
    const payload = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')) as { exp?: number }
    return typeof payload.exp === 'number' ? payload.exp * 1000 : 0
  } catch (error) {
    if (error instanceof SyntaxError) return 0
    throw error
  }
}

async function refreshed(user: FromFile<UserEntry>, config: OidcConfig, refreshToken: string) {
  const ca = fileOrData(user, config['idp-certificate-authority'], config['idp-certificate-authority-data'])
  const issuer = config['idp-issuer-url'] ?? ''
  try {
    const discovery = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, ca)
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
    form.set('client_id', config['client-id'] ?? '')
    if (config['client-secret']) form.set('client_secret', config['client-secret'])
    const answer = await fetchJson(String(discovery.token_endpoint), ca, form)
    if (typeof answer.id_token !== 'string') throw new Error('the answer has no id_token')
    return {
      id_token: answer.id_token,
      refresh_token: typeof answer.refresh_token === 'string' ? answer.refresh_token : undefined,
    }
  } catch (error) {
    throw expired(`${issuer} gives no new token: ${messageOf(error)}`, error)
  }
}

/** Best effort: a kubeconfig that cannot be written still serves this process. */
function keep(file: string, userName: string, idToken: string, refreshToken: string): void {
  try {
    const document = parseDocument(readFileSync(file, 'utf8'))
    const users = (document.toJS() as { users?: { name?: string }[] } | null)?.users ?? []
    const index = users.findIndex((one) => one?.name === userName)
    if (index < 0) return
    const at = ['users', index, 'user', 'auth-provider', 'config']
    document.setIn([...at, 'id-token'], idToken)
    document.setIn([...at, 'refresh-token'], refreshToken)
    const draft = `${file}.${process.pid}.tmp`
    writeFileSync(draft, document.toString({ lineWidth: 0 }), { mode: 0o600 })
    renameSync(draft, file)
  } catch (error) {
    process.emitWarning(`The renewed OIDC token could not be written to ${file}: ${messageOf(error)}`)
  }
}

function fetchJson(url: string, ca: Buffer | undefined, form?: URLSearchParams): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const request = https.request(url, {
      method: form === undefined ? 'GET' : 'POST',
      headers: form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' },
      timeout: timeoutMs,
      ...(ca === undefined ? {} : { ca }),
    })
    request.once('error', reject)
    request.once('timeout', () => request.destroy(new Error('no answer')))
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode !== 200) return reject(new Error(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`))
        try {
          resolve(JSON.parse(text) as Record<string, unknown>)
        } catch (error) {
          reject(error)
        }
      })
    })
    request.end(form?.toString())
  })
}

function expired(reason: string, cause: unknown): KubeError {
  return new KubeError('credentials-expired', `The OIDC login of the kubeconfig has expired: ${reason}`, {
    cause,
    fix: 'Log in again; kubectl auth whoami should work first.',
  })
}
