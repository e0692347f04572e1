import type { Principal } from '../admission/admission.ts'
import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, listOf, stringOf } from '../json.ts'
import { apiVersionOf, type ResourceDefinition } from '../resources/definition.ts'
import type { Store } from '../store/store.ts'
import { timestamp } from '../timestamp.ts'
import { type Authenticator, tokenAudience } from './authenticator.ts'
import type { AccessAttributes, Authorizer } from './authorizer.ts'

const authentication = 'authentication.k8s.io'
/** Of a token that is asked for. */
const shortestSeconds = 600

/** Those of a TokenRequest or a TokenReview; none means the API server. */
function audiencesOf({ audiences }: Dict): string[] {
  const given = listOf(audiences).map(String)
  return given.length > 0 ? given : [tokenAudience]
}

/** Requests that store nothing: who am I, may I, whose token is this. */
export class Reviews {
  readonly #authenticator: Authenticator
  readonly #authorizer: Authorizer
  readonly #store: Store

  constructor(store: Store, authenticator: Authenticator, authorizer: Authorizer) {
    this.#store = store
    this.#authenticator = authenticator
    this.#authorizer = authorizer
  }

  /** Answers a create of one of the review resources; undefined where the resource is none. */
  answer(definition: ResourceDefinition, given: Dict, user: Principal): Dict | undefined {
    const body = { kind: definition.kind, apiVersion: apiVersionOf(definition), ...given }
    const spec = dictOf(given.spec)
    switch (definition.plural) {
      case 'selfsubjectreviews':
        return { ...body, metadata: { creationTimestamp: timestamp() }, status: { userInfo: userInfo(user) } }
      case 'tokenreviews': {
        const found = this.#authenticator.review(stringOf(spec.token) ?? '', audiencesOf(spec))
        const status = found
          ? { authenticated: true, user: userInfo(found.user), audiences: found.audiences }
          : { user: {}, error: 'invalid bearer token' }
        return { ...body, metadata: {}, status }
      }
      case 'selfsubjectaccessreviews':
        return { ...body, metadata: {}, status: this.#access(user, spec) }
      case 'subjectaccessreviews':
      case 'localsubjectaccessreviews': {
        const subject = { name: stringOf(spec.user) ?? '', groups: listOf(spec.groups).map(String) }
        return { ...body, metadata: {}, status: this.#access(subject, spec) }
      }
      case 'selfsubjectrulesreviews':
        return { ...body, metadata: {}, status: this.#rules(user, stringOf(spec.namespace)) }
      default:
        return undefined
    }
  }

  /** The token subresource of a service account. */
  issueToken(namespace: string, name: string, body: Dict): Dict {
    const account = this.#store.get('serviceaccounts', namespace, name)
    const uid = account?.metadata.uid
    if (uid === undefined) {
      throw ApiError.notFound({ group: '', plural: 'serviceaccounts', kind: 'ServiceAccount' }, name)
    }
    const spec = dictOf(body.spec)
    const seconds = Number(spec.expirationSeconds ?? 3_600)
    if (seconds < shortestSeconds) {
      const message = `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`
      const error = { reason: 'FieldValueInvalid', field: 'spec.expirationSeconds', message }
      throw ApiError.invalid({ group: authentication, plural: 'tokenrequests', kind: 'TokenRequest' }, name, [error])
    }
    const audiences = audiencesOf(spec)
    const bound = this.#boundPod(namespace, dictOf(spec.boundObjectRef))
    const { token, expires } = this.#authenticator.issue(namespace, { name, uid }, { seconds, audiences, pod: bound })
    return {
      ...body,
      kind: 'TokenRequest',
      apiVersion: `${authentication}/v1`,
      metadata: { name, namespace, uid, creationTimestamp: timestamp() },
      spec: { boundObjectRef: null, ...spec, audiences, expirationSeconds: seconds },
      status: { token, expirationTimestamp: timestamp(expires) },
    }
  }

  #boundPod(namespace: string, { kind, name, uid }: Dict): { name: string; uid: string } | undefined {
    if (kind !== 'Pod') return undefined
    const type = { group: '', plural: 'pods', kind: 'Pod' }
    const pod = this.#store.get('pods', namespace, String(name))
    if (!pod?.metadata.uid) throw ApiError.notFound(type, String(name))
    if (uid !== undefined && uid !== pod.metadata.uid) {
      const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`
      throw ApiError.conflict(type, String(name), why)
    }
    return { name: pod.metadata.name, uid: pod.metadata.uid }
  }

  #access(user: Principal, spec: Dict): Dict {
    const { verb, group, resource, subresource, namespace, name } = dictOf(spec.resourceAttributes)
    const path = dictOf(spec.nonResourceAttributes)
    const access: AccessAttributes = spec.nonResourceAttributes
      ? { verb: String(path.verb), path: String(path.path) }
      : {
          verb: stringOf(verb) ?? '',
          group: stringOf(group) ?? '',
          resource: stringOf(resource) ?? '',
          subresource: stringOf(subresource),
          namespace: stringOf(namespace),
          name: stringOf(name),
        }
    return { allowed: this.#authorizer.allowed(user, access) }
  }

  #rules(user: Principal, namespace: string | undefined): Dict {
    const rules = [...this.#authorizer.rulesOf(user, namespace)]
    if (user.groups.includes('system:masters')) {
      rules.push({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] })
    }
    return {
      resourceRules: rules.filter((rule) => rule.resources),
      nonResourceRules: rules.filter((rule) => rule.nonResourceURLs),
      incomplete: false,
    }
  }
}

export function userInfo({ name, uid, groups, extra }: Principal): Dict {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) }
}
