import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { roleBindings, roles, serviceAccounts } from '../../../src/kube/resources.ts'
import type { Kube, KubeObject } from '../../../src/kube/types.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** What somebody may in a namespace: what ClusterRoles say, and rules of a Role. */
export interface Rights {
  readonly clusterRoles?: readonly string[]
  readonly rules?: readonly object[]
}

/** A new service account with only these rights in the namespace. @returns the path of its kubeconfig */
export async function person(
  { kube, kubeconfig, namespace }: { readonly kube: Kube; readonly kubeconfig: string; readonly namespace: string },
  name: string,
  { clusterRoles = [], rules }: Rights = {},
): Promise<string> {
  const account = `${name}-${randomBytes(2).toString('hex')}`
  await kube.create(serviceAccounts, { metadata: { name: account, namespace } })
  if (rules) {
    await kube.create<KubeObject & { rules: readonly object[] }>(roles, {
      metadata: { name: account, namespace },
      rules,
    })
  }
  const given = [
    ...clusterRoles.map((role) => ({ kind: 'ClusterRole', name: role })),
    ...(rules ? [{ kind: 'Role', name: account }] : []),
  ]
  for (const role of given) {
    await kube.create<KubeObject & { roleRef: object; subjects: object[] }>(roleBindings, {
      metadata: { name: `${account}-${role.name}`, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...role },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    })
  }
  const { status } = await kube.request<{ status: { token: string } }>(
    'POST',
    `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  )
  const config = parse(readFileSync(kubeconfig, 'utf8')) as { users: { user: object }[] }
  for (const one of config.users) one.user = { token: status.token }
  const file = join(temporaryFolder(), 'config')
  writeFileSync(file, stringify(config))
  return file
}
