import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../admission/admission.ts'
import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, listOf, stringOf } from '../json.ts'
import type { Store } from '../store/store.ts'

export const tokenAudience = 'https://kubernetes.default.svc.cluster.local'
const anonymous: Principal = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

export interface IssuedToken {
  readonly token: string
  readonly expires: Date
}

/** Bearer tokens: fixed ones of users, and signed ones (JWT, HS256) of service accounts. */
export class Authenticator {
  readonly #users = new Map<string, Principal>()
  readonly #key = randomBytes(32)
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Returns the new user's token. */
  addUser(name: string, groups: readonly string[] = []): string {
    const token = randomBytes(24).toString('base64url')
    this.#users.set(token, { name, groups: [...groups, 'system:authenticated'] })
    return token
  }

  removeUser(name: string): void {
    for (const [token, user] of this.#users) if (user.name === name) this.#users.delete(token)
  }

  /** Without an Authorization header the request is anonymous; with a wrong one it is refused (401). */
  authenticate(header: string | undefined): Principal {
    if (header === undefined) return anonymous
    const token = /^Bearer\s+(\S+)$/i.exec(header)?.[1]
    const user = token === undefined ? undefined : this.review(token)?.user
    if (!user) throw ApiError.unauthorized()
    return user
  }

  /** Whose token it is, and for which of these audiences; undefined for an invalid one, and one that is for none. */
  review(
    token: string,
    wanted: readonly string[] = [tokenAudience],
  ): { readonly user: Principal; readonly audiences: readonly string[] } | undefined {
    const user = this.#users.get(token)
    const found = user ? { user, audiences: [tokenAudience] } : this.#serviceAccountOf(token)
    const audiences = wanted.filter((audience) => found?.audiences.includes(audience))
    return found && audiences.length > 0 ? { user: found.user, audiences } : undefined
  }

  /** A token of a service account; with a pod it is good for as long as that is there. */
  issue(
    namespace: string,
    account: { name: string; uid: string },
    {
      seconds,
      audiences,
      pod,
    }: {
      readonly seconds: number
      readonly audiences: readonly string[]
      readonly pod?: { readonly name: string; readonly uid: string } | undefined
    },
  ): IssuedToken {
    const now = Math.floor(Date.now() / 1_000)
    const payload = {
      aud: audiences,
      exp: now + seconds,
      iat: now,
      iss: tokenAudience,
      jti: randomUUID(),
      'kubernetes.io': { namespace, ...(pod ? { pod } : {}), serviceaccount: account },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${account.name}`,
    }
    const encode = (part: Dict) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const head = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(payload)}`
    return { token: `${head}.${this.#sign(head).toString('base64url')}`, expires: new Date((now + seconds) * 1_000) }
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest()
  }

  #serviceAccountOf(token: string): { user: Principal; audiences: readonly string[] } | undefined {
    const [head, body, signature] = token.split('.')
    if (!head || !body || !signature) return undefined
    const given = Buffer.from(signature, 'base64url')
    const wanted = this.#sign(`${head}.${body}`)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Dict
    if (Number(claims.exp) * 1_000 < Date.now()) return undefined
    const { namespace, serviceaccount, pod } = dictOf(claims['kubernetes.io'])
    const { name, uid } = dictOf(serviceaccount)
    const account = this.#store.get('serviceaccounts', String(namespace), String(name))
    if (account?.metadata.uid !== uid || typeof uid !== 'string') return undefined
    const podName = stringOf(dictOf(pod).name)
    const podUid = stringOf(dictOf(pod).uid)
    if (podName && podUid && this.#store.get('pods', String(namespace), podName)?.metadata.uid !== podUid)
      return undefined
    const user: Principal = {
      name: `system:serviceaccount:${namespace}:${name}`,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
        ...(podName && podUid
          ? { 'authentication.kubernetes.io/pod-name': [podName], 'authentication.kubernetes.io/pod-uid': [podUid] }
          : {}),
      },
    }
    return { user, audiences: listOf(claims.aud).map(String) }
  }
}
