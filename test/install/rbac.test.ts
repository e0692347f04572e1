import { describe, expect, it } from 'vitest'
import { installDefaults } from '../../cli/install/options.ts'
import { rbac } from '../../cli/install/rbac.ts'

type Options = Partial<typeof installDefaults>

/** Verbs of a role on a resource; [] where it has none. */
function verbs(kind: string, name: string, resource: string, options: Options = {}): string[] {
  const roles = rbac({ ...installDefaults, ...options }).filter(
    (one) => one.kind === kind && one.metadata.name === name,
  )
  expect(roles, name).not.toEqual([])
  return roles.flatMap(({ rules = [] }) =>
    rules.filter((rule) => rule.resources.includes(resource)).flatMap((rule) => rule.verbs),
  )
}

const aggregated = (name: string): unknown =>
  rbac(installDefaults).find((one) => one.kind === 'ClusterRole' && one.metadata.name === name)?.metadata.labels?.[
    'rbac.authorization.k8s.io/aggregate-to-edit'
  ]

describe('rights on Connections', () => {
  it('everybody who may intercept has them, the reach beyond the namespace is a role of its own', () => {
    const own = ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete']
    expect(verbs('ClusterRole', 'intercept-user', 'connections')).toEqual(own)
    expect(verbs('ClusterRole', 'intercept-outbound', 'connections')).toEqual([...own, 'reach-anywhere'])
    expect(verbs('ClusterRole', 'intercept-outbound', 'intercepts')).toEqual([])
    expect(verbs('ClusterRole', 'intercept-admin', 'connections')).toEqual([...own, 'revoke', 'reach-anywhere'])
    expect([aggregated('intercept-user'), aggregated('intercept-outbound'), aggregated('intercept-admin')]).toEqual([
      'true',
      'true',
      undefined,
    ])
  })

  it('the proxy sees and ends them, and changes none', () => {
    const wanted = ['get', 'list', 'watch', 'delete']
    expect(verbs('ClusterRole', 'intercept-proxy', 'connections')).toEqual(wanted)
    expect(verbs('Role', 'intercept-proxy', 'connections', { namespaces: ['team-a'] })).toEqual(wanted)
  })
})

describe('rights of the proxy where it intercepts', () => {
  it('it looks at pods, and touches none', () => {
    expect(verbs('ClusterRole', 'intercept-proxy', 'pods')).toEqual(['get', 'list', 'watch'])
  })

  it('it reads Secrets only where that is chosen, and never lists them', () => {
    expect(verbs('ClusterRole', 'intercept-proxy', 'secrets')).toEqual([])
    expect(verbs('ClusterRole', 'intercept-proxy', 'secrets', { tlsSecrets: true })).toEqual(['get'])
    const limited = { namespaces: ['team-a'], tlsSecrets: true }
    expect(verbs('Role', 'intercept-proxy', 'secrets', limited)).toEqual(['get'])
    expect(verbs('ClusterRole', 'intercept-proxy-namespaces', 'secrets', limited)).toEqual([])
  })
})
