import { describe, expect, it } from 'vitest'
import { evaluateRule } from '../../cli/demo/cluster/admission/cel.ts'
import { type AccessCheck, CelAuthorizer } from '../../cli/demo/cluster/admission/cel-authorizer.ts'
import { admissionObjects, admissionPolicy, connectionPolicy } from '../../src/resource/admission.ts'

interface Policy {
  variables: { name: string; expression: string }[]
  validations: { expression: string; messageExpression: string; message: string }[]
}

interface Change {
  operation?: 'CREATE' | 'UPDATE' | 'DELETE'
  user?: string
  /** spec, with the holder. */
  spec?: object
  oldSpec?: object
  metadata?: object
  oldMetadata?: object
  /** What the user may: 'verb resource/name'. */
  rights?: readonly string[]
}

/** What the policy says to the change; [] where it lets it through. */
function told({ spec: rules }: { spec: object }, change: Change): string[] {
  const { operation = 'CREATE', user = 'ada', rights = [] } = change
  const policy = rules as Policy
  const allows = (verb: string, { group, resource, name, namespace }: AccessCheck): boolean =>
    namespace === 'shop' &&
    group === (resource === 'secrets' ? '' : 'intercept.dev') &&
    rights.includes(`${verb} ${resource}${name === '' ? '' : `/${name}`}`)
  const object = { metadata: { name: 'ada-1', ...change.metadata }, spec: { holder: 'ada', ...change.spec } }
  const old = { metadata: { name: 'ada-1', ...change.oldMetadata }, spec: { holder: 'ada', ...change.oldSpec } }
  const variables: Record<string, unknown> = {
    object: operation === 'DELETE' ? null : object,
    oldObject: operation === 'CREATE' ? null : old,
    request: { operation, namespace: 'shop', userInfo: { username: user } },
    authorizer: new CelAuthorizer(allows, {}),
  }
  variables.variables = Object.fromEntries(
    policy.variables.map(({ name, expression }) => [name, evaluateRule(expression, variables).value]),
  )
  return policy.validations.flatMap(({ expression, messageExpression }) => {
    const { value, error } = evaluateRule(expression, variables)
    expect(error, expression).toBeUndefined()
    return value === true ? [] : [String(evaluateRule(messageExpression, variables).value)]
  })
}

const proxy = 'system:serviceaccount:platform:intercept-proxy'

describe.each([
  ['Intercept', 'intercepts', admissionPolicy('platform'), { service: 'orders' }],
  ['Connection', 'connections', connectionPolicy('platform'), { reach: 'namespace' }],
] as const)('the policy of a(n) %s', (kind, plural, policy, spec) => {
  it('looks at the object, not at its status, and denies when it cannot tell', () => {
    expect(policy.spec).toMatchObject({
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ resources: [plural], operations: ['CREATE', 'UPDATE', 'DELETE'], apiVersions: ['*'] }],
      },
    })
  })

  it("lets one make it in one's own name only", () => {
    expect(told(policy, { spec })).toEqual([])
    expect(told(policy, { spec: { ...spec, holder: 'bob' } })).toEqual([expect.stringContaining("not 'bob'")])
    expect(told(policy, { spec, user: proxy })).toHaveLength(1)
  })

  it('lets its holder change it, and the proxy', () => {
    const change: Change = {
      operation: 'UPDATE',
      spec: { ...spec, renewTime: '2' },
      oldSpec: { ...spec, renewTime: '1' },
    }
    expect(told(policy, change)).toEqual([])
    expect(told(policy, { ...change, user: proxy })).toEqual([])
    expect(told(policy, { ...change, user: 'bob' })).toEqual([
      `this ${kind} is held by 'ada': only its holder may change it`,
    ])
    // Who may end it may not pretend to be its holder.
    expect(told(policy, { ...change, user: 'bob', rights: [`revoke ${plural}/ada-1`] })).toHaveLength(1)
  })

  it('lets others touch what ends nothing', () => {
    const change: Change = { operation: 'UPDATE', user: 'bob', spec, oldSpec: spec }
    expect(told(policy, { ...change, metadata: { labels: { a: 'b' } } })).toEqual([])
    expect(told(policy, { ...change, metadata: { finalizers: ['a.b/c'] } })).toHaveLength(1)
    expect(told(policy, { ...change, metadata: { ownerReferences: [{ uid: '1' }] } })).toHaveLength(1)
  })

  it('lets its holder end it, the proxy, controllers and who may revoke', () => {
    const change: Change = { operation: 'DELETE', oldSpec: spec }
    expect(told(policy, change)).toEqual([])
    for (const user of [proxy, 'system:serviceaccount:kube-system:namespace-controller']) {
      expect(told(policy, { ...change, user }), user).toEqual([])
    }
    expect(told(policy, { ...change, user: 'system:serviceaccount:other:intercept-proxy' })).toHaveLength(1)
    const bob = { ...change, user: 'bob' }
    expect(told(policy, bob)).toEqual([
      `this ${kind} is held by 'ada': only its holder may delete it, or who has the verb 'revoke' on ${plural} (ClusterRole intercept-admin)`,
    ])
    expect(told(policy, { ...bob, rights: [`revoke ${plural}/ada-2`] })).toHaveLength(1)
    expect(told(policy, { ...bob, rights: [`revoke ${plural}/ada-1`] })).toEqual([])
  })
})

describe('who may make what', () => {
  const make = (spec: object, wholeService: string, rights: readonly string[] = []): string[] =>
    told(admissionPolicy('platform', wholeService), { spec: { service: 'orders', ...spec }, rights })
  const connect = (reach: string, rights: readonly string[] = []): string[] =>
    told(connectionPolicy('platform'), { spec: { reach }, rights })

  it('everything of a Service, unless that is switched off', () => {
    expect(make({}, 'true')).toEqual([])
    expect(make({}, 'false')).toEqual([expect.stringMatching(/--as NAME or --header .*intercept-whole/)])
    expect(make({ mode: 'mirror' }, 'false')).toHaveLength(1)
    expect(make({ match: { as: 'ada' } }, 'false')).toEqual([])
    expect(make({}, 'false', ['intercept-whole intercepts'])).toEqual([])
  })

  it('TLS only with a Secret that one may read oneself', () => {
    const tls = { tls: { secretName: 'shop-tls' } }
    expect(make(tls, 'true')).toEqual([expect.stringContaining("may not read Secret 'shop-tls'")])
    expect(make(tls, 'true', ['get secrets/other'])).toHaveLength(1)
    expect(make(tls, 'true', ['get secrets/shop-tls'])).toEqual([])
  })

  it('a Connection beyond the namespace only with the right to', () => {
    expect(connect('namespace')).toEqual([])
    expect(connect('anywhere')).toEqual([
      "a Connection that reaches beyond the Services of namespace 'shop' is for who has the verb 'reach-anywhere' on connections there (ClusterRole intercept-outbound, part of edit)",
    ])
    expect(connect('anywhere', ['reach-anywhere intercepts'])).toHaveLength(1)
    expect(connect('anywhere', ['reach-anywhere connections'])).toEqual([])
  })
})

describe('admissionObjects', () => {
  it('has a binding for each policy, which denies', () => {
    const objects = admissionObjects('platform', 'true')
    const names = (kind: string): string[] =>
      objects.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name)
    expect(names('ValidatingAdmissionPolicy')).toEqual(['intercept-holder', 'intercept-connection-holder'])
    expect(names('ValidatingAdmissionPolicyBinding')).toEqual(names('ValidatingAdmissionPolicy'))
    for (const { kind, metadata, spec } of objects) {
      if (kind !== 'ValidatingAdmissionPolicyBinding') continue
      expect(spec).toEqual({ policyName: metadata.name, validationActions: ['Deny'] })
    }
  })

  it('has a plain message for what cannot be evaluated', () => {
    for (const { kind, spec } of admissionObjects('platform', 'true')) {
      if (kind !== 'ValidatingAdmissionPolicy') continue
      for (const { message } of (spec as unknown as Policy).validations) expect(message).toMatch(/^\S.+[^.]$/)
    }
  })
})
