import type { ResourceType } from './types.ts'

function resource(group: string, version: string, plural: string, kind: string, namespaced = true): ResourceType {
  return { group, version, plural, kind, namespaced }
}

export const services = resource('', 'v1', 'services', 'Service')
export const pods = resource('', 'v1', 'pods', 'Pod')
export const endpoints = resource('', 'v1', 'endpoints', 'Endpoints')
export const configMaps = resource('', 'v1', 'configmaps', 'ConfigMap')
export const secrets = resource('', 'v1', 'secrets', 'Secret')
export const serviceAccounts = resource('', 'v1', 'serviceaccounts', 'ServiceAccount')
export const events = resource('', 'v1', 'events', 'Event')
export const namespaces = resource('', 'v1', 'namespaces', 'Namespace', false)
export const nodes = resource('', 'v1', 'nodes', 'Node', false)
export const endpointSlices = resource('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice')
export const leases = resource('coordination.k8s.io', 'v1', 'leases', 'Lease')
export const deployments = resource('apps', 'v1', 'deployments', 'Deployment')
export const statefulSets = resource('apps', 'v1', 'statefulsets', 'StatefulSet')
export const daemonSets = resource('apps', 'v1', 'daemonsets', 'DaemonSet')
export const replicaSets = resource('apps', 'v1', 'replicasets', 'ReplicaSet')
export const jobs = resource('batch', 'v1', 'jobs', 'Job')
export const podDisruptionBudgets = resource('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget')
export const networkPolicies = resource('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy')
export const ingresses = resource('networking.k8s.io', 'v1', 'ingresses', 'Ingress')
export const roles = resource('rbac.authorization.k8s.io', 'v1', 'roles', 'Role')
export const roleBindings = resource('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding')
export const clusterRoles = resource('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false)
export const clusterRoleBindings = resource(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  false,
)
export const customResourceDefinitions = resource(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
)
export const admissionPolicies = resource(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
  false,
)
export const admissionPolicyBindings = resource(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicybindings',
  'ValidatingAdmissionPolicyBinding',
  false,
)
export const serviceMonitors = resource('monitoring.coreos.com', 'v1', 'servicemonitors', 'ServiceMonitor')
