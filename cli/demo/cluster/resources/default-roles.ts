import type { KubeObject } from '../../../../src/kube/types.ts'

const group = 'rbac.authorization.k8s.io'
const all = ['*']
const read = ['get', 'list', 'watch']
const write = ['create', 'delete', 'deletecollection', 'patch', 'update']

const namespacedCore = ['configmaps', 'endpoints', 'persistentvolumeclaims', 'pods', 'serviceaccounts', 'services']
const apps = [
  'deployments',
  'deployments/scale',
  'replicasets',
  'replicasets/scale',
  'statefulsets',
  'statefulsets/scale',
]

interface Rule {
  apiGroups?: string[]
  resources?: string[]
  verbs: string[]
  nonResourceURLs?: string[]
}

const viewRules: Rule[] = [
  {
    apiGroups: [''],
    resources: [...namespacedCore, 'events', 'namespaces', 'pods/log', 'pods/status', 'services/status'],
    verbs: read,
  },
  { apiGroups: ['apps'], resources: apps, verbs: read },
  { apiGroups: ['batch'], resources: ['jobs', 'jobs/status'], verbs: read },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs: read },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: read },
]

const editRules: Rule[] = [
  {
    apiGroups: [''],
    resources: ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'],
    verbs: read,
  },
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
  {
    apiGroups: [''],
    resources: [
      ...namespacedCore,
      'secrets',
      'pods/attach',
      'pods/exec',
      'pods/portforward',
      'pods/proxy',
      'services/proxy',
    ],
    verbs: write,
  },
  { apiGroups: [''], resources: ['pods/eviction', 'serviceaccounts/token'], verbs: ['create'] },
  { apiGroups: ['apps'], resources: apps, verbs: write },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: write },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...read, ...write] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs: write },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: write },
]

const adminRules: Rule[] = [
  { apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] },
  { apiGroups: [group], resources: ['rolebindings', 'roles'], verbs: [...read, ...write] },
]

const bootstrapping = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }

/** cluster-admin, admin, edit and view with their aggregation, and what every user may do. */
export function defaultRoles(): [string, KubeObject][] {
  return [
    role('cluster-admin', [
      { apiGroups: all, resources: all, verbs: all },
      { nonResourceURLs: all, verbs: all },
    ]),
    role('system:basic-user', [
      {
        apiGroups: ['authorization.k8s.io'],
        resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
        verbs: ['create'],
      },
      { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
    ]),
    role('system:auth-delegator', [
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ]),
    role('system:aggregate-to-view', viewRules, { [`${group}/aggregate-to-view`]: 'true' }),
    role('system:aggregate-to-edit', editRules, { [`${group}/aggregate-to-edit`]: 'true' }),
    role('system:aggregate-to-admin', adminRules, { [`${group}/aggregate-to-admin`]: 'true' }),
    aggregate('view', 'edit'),
    aggregate('edit', 'admin'),
    aggregate('admin', undefined),
    binding('cluster-admin', 'system:masters'),
    binding('system:basic-user', 'system:authenticated'),
  ]
}

function role(name: string, rules: Rule[], labels: Record<string, string> = {}): [string, KubeObject] {
  const metadata = { name, labels: { ...bootstrapping, ...labels } }
  return [`clusterroles.${group}`, { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules } as KubeObject]
}

/** A role made of all that carry its label; it is itself part of `into`. */
function aggregate(name: string, into: string | undefined): [string, KubeObject] {
  const labels = { ...bootstrapping, ...(into ? { [`${group}/aggregate-to-${into}`]: 'true' } : {}) }
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { [`${group}/aggregate-to-${name}`]: 'true' } }] }
  const object = {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels },
    aggregationRule,
    rules: [],
  }
  return [`clusterroles.${group}`, object as KubeObject]
}

function binding(name: string, subject: string): [string, KubeObject] {
  return [
    `clusterrolebindings.${group}`,
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name, labels: bootstrapping },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name },
      subjects: [{ apiGroup: group, kind: 'Group', name: subject }],
    } as KubeObject,
  ]
}
