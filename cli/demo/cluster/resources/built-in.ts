import { builtInShape } from '../store/shape.ts'
import { columnsOf } from './columns.ts'
import { validateConfigData } from './config-data.ts'
import { type ResourceDefinition, type Subresource, storedVerbs } from './definition.ts'
import { endpointSliceDefaults, endpointsDefaults, validateEndpointSlice } from './endpoint-defaults.ts'
import { podDefaults, validatePod } from './pod-defaults.ts'
import { bindingDefaults } from './role-defaults.ts'
import { secretDefaults } from './secret-defaults.ts'
import { serviceDefaults, validateService } from './service-rules.ts'
import {
  budgetDefaults,
  jobDefaults,
  replicaSetDefaults,
  validateWorkload,
  workloadDefaults,
} from './workload-defaults.ts'

type Options = Partial<Omit<ResourceDefinition, 'subresources'>> & { subresources?: Record<string, Subresource> }

const status = (kind: string): Subresource => ({ name: 'status', kind, verbs: ['get', 'patch', 'update'] })
const scale: Subresource = {
  name: 'scale',
  kind: 'Scale',
  group: 'autoscaling',
  version: 'v1',
  verbs: ['get', 'patch', 'update'],
}
const proxyVerbs = ['create', 'delete', 'get', 'patch', 'update']

function define(
  apiVersion: string,
  plural: string,
  kind: string,
  options: Options & { extra?: readonly Subresource[]; scalable?: boolean } = {},
): ResourceDefinition {
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion]
  const key = group === '' ? plural : `${plural}.${group}`
  const { extra = [], scalable = false, subresources: _, ...rest } = options
  const hasStatus = rest.hasStatus ?? false
  return {
    group,
    version,
    plural,
    kind,
    key,
    namespaced: true,
    listKind: `${kind}List`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: storedVerbs,
    shape: builtInShape(key),
    hasGeneration: false,
    returnsDeleted: false,
    columns: columnsOf(key),
    selectableFields: [],
    ...rest,
    hasStatus,
    subresources: [...extra, ...(scalable ? [scale] : []), ...(hasStatus ? [status(kind)] : [])],
  }
}

const cluster = { namespaced: false }
const rbac = 'rbac.authorization.k8s.io/v1'
const admission = 'admissionregistration.k8s.io/v1'
const review = { verbs: ['create'], namespaced: false, columns: [] }
const workload = { hasStatus: true, hasGeneration: true, categories: ['all'], scalable: true } as const

/** What the embedded cluster serves without any CustomResourceDefinition. */
export const builtInDefinitions: readonly ResourceDefinition[] = [
  define('v1', 'configmaps', 'ConfigMap', { shortNames: ['cm'], validate: validateConfigData }),
  define('v1', 'endpoints', 'Endpoints', { shortNames: ['ep'], singular: 'endpoints', defaults: endpointsDefaults }),
  define('v1', 'events', 'Event', { shortNames: ['ev'] }),
  define('v1', 'namespaces', 'Namespace', {
    ...cluster,
    shortNames: ['ns'],
    hasStatus: true,
    returnsDeleted: true,
    verbs: storedVerbs.filter((verb) => verb !== 'deletecollection'),
    extra: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  }),
  define('v1', 'nodes', 'Node', { ...cluster, shortNames: ['no'], hasStatus: true }),
  define('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', { shortNames: ['pvc'], hasStatus: true }),
  define('v1', 'pods', 'Pod', {
    shortNames: ['po'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    returnsDeleted: true,
    defaults: podDefaults,
    validate: validatePod,
    extra: [
      { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
      { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
      { name: 'log', kind: 'Pod', verbs: ['get'] },
      { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
      { name: 'proxy', kind: 'PodProxyOptions', verbs: proxyVerbs },
    ],
  }),
  define('v1', 'secrets', 'Secret', { defaults: secretDefaults, validate: validateConfigData }),
  define('v1', 'serviceaccounts', 'ServiceAccount', {
    shortNames: ['sa'],
    returnsDeleted: true,
    extra: [{ name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] }],
  }),
  define('v1', 'services', 'Service', {
    shortNames: ['svc'],
    categories: ['all'],
    hasStatus: true,
    returnsDeleted: true,
    defaults: serviceDefaults,
    validate: validateService,
    extra: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: proxyVerbs }],
  }),
  define('apps/v1', 'deployments', 'Deployment', {
    ...workload,
    shortNames: ['deploy'],
    defaults: workloadDefaults,
    validate: validateWorkload,
  }),
  define('apps/v1', 'replicasets', 'ReplicaSet', {
    ...workload,
    shortNames: ['rs'],
    defaults: replicaSetDefaults,
    validate: validateWorkload,
  }),
  define('apps/v1', 'statefulsets', 'StatefulSet', {
    ...workload,
    shortNames: ['sts'],
    defaults: workloadDefaults,
    validate: validateWorkload,
  }),
  define('batch/v1', 'jobs', 'Job', {
    hasStatus: true,
    hasGeneration: true,
    categories: ['all'],
    defaults: jobDefaults,
  }),
  define('coordination.k8s.io/v1', 'leases', 'Lease'),
  define('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice', {
    hasGeneration: true,
    defaults: endpointSliceDefaults,
    validate: validateEndpointSlice,
  }),
  define('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy', { shortNames: ['netpol'], hasGeneration: true }),
  define('networking.k8s.io/v1', 'ingresses', 'Ingress', { shortNames: ['ing'], hasGeneration: true, hasStatus: true }),
  define('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget', {
    shortNames: ['pdb'],
    defaults: budgetDefaults,
    hasStatus: true,
    hasGeneration: true,
  }),
  define('scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass', {
    ...cluster,
    shortNames: ['pc'],
    hasGeneration: true,
  }),
  define(rbac, 'roles', 'Role'),
  define(rbac, 'rolebindings', 'RoleBinding', { defaults: bindingDefaults }),
  define(rbac, 'clusterroles', 'ClusterRole', cluster),
  define(rbac, 'clusterrolebindings', 'ClusterRoleBinding', { ...cluster, defaults: bindingDefaults }),
  define('apiextensions.k8s.io/v1', 'customresourcedefinitions', 'CustomResourceDefinition', {
    ...cluster,
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    hasStatus: true,
    hasGeneration: true,
  }),
  define(admission, 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', {
    ...cluster,
    categories: ['api-extensions'],
    hasStatus: true,
    hasGeneration: true,
  }),
  define(admission, 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', {
    ...cluster,
    categories: ['api-extensions'],
    hasGeneration: true,
  }),
  define('authentication.k8s.io/v1', 'selfsubjectreviews', 'SelfSubjectReview', review),
  define('authentication.k8s.io/v1', 'tokenreviews', 'TokenReview', review),
  define('authorization.k8s.io/v1', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', review),
  define('authorization.k8s.io/v1', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview', review),
  define('authorization.k8s.io/v1', 'subjectaccessreviews', 'SubjectAccessReview', review),
  define('authorization.k8s.io/v1', 'localsubjectaccessreviews', 'LocalSubjectAccessReview', {
    verbs: ['create'],
    columns: [],
  }),
]
