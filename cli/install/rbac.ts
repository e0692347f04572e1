import type { KubeObject } from '../../src/kube/types.ts'
import { REACH_ANYWHERE_VERB } from '../../src/resource/connection.ts'
import {
  CA_NAME,
  GATEWAY_PORT,
  GROUP,
  INTERCEPT_WHOLE_VERB,
  PROXY_NAME,
  PROXY_STATEFULSET,
  REVOKE_VERB,
} from '../../src/resource/names.ts'
import { clusterMetadata, metadata } from './metadata.ts'
import type { InstallOptions } from './options.ts'

interface Rule {
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}

interface RbacObject extends KubeObject {
  rules?: Rule[]
  roleRef?: { apiGroup: string; kind: string; name: string }
  subjects?: readonly object[]
}

const apiGroup = 'rbac.authorization.k8s.io'
const apiVersion = `${apiGroup}/v1`
const read = ['get', 'list', 'watch']

/** Role of the proxy in its own namespace, besides what it may do where it intercepts. */
const SYSTEM_ROLE = `${PROXY_NAME}-system`
/** ClusterRole of a proxy that is limited to some namespaces. */
const NAMESPACES_ROLE = `${PROXY_NAME}-namespaces`
/** Role that lets people's tunnels in. */
const TUNNEL_ROLE = 'intercept-tunnel'

/** Who may do what. The proxy's rights go with `options.namespaces`: one ClusterRole, or a Role in each. */
export function rbac(options: InstallOptions): RbacObject[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(options, PROXY_NAME) },
    ...proxyRoles(options),
    role(options, SYSTEM_ROLE, systemRules()),
    binding(options, SYSTEM_ROLE, [proxySubject(options)]),
    ...teamRoles(options),
    role(options, TUNNEL_ROLE, tunnelRules(options)),
    binding(options, TUNNEL_ROLE, options.access.subjects),
  ]
}

function proxyRoles(options: InstallOptions): RbacObject[] {
  if (options.namespaces.length === 0) {
    return [clusterRole(options, PROXY_NAME, interceptingRules(options)), clusterBinding(options, PROXY_NAME)]
  }
  return [
    ...options.namespaces.flatMap((namespace) => [
      role(options, PROXY_NAME, interceptingRules(options), namespace),
      binding(options, PROXY_NAME, [proxySubject(options)], namespace),
    ]),
    clusterRole(options, NAMESPACES_ROLE, namespacesRules(options)),
    clusterBinding(options, NAMESPACES_ROLE),
  ]
}

/** Tells a namespace that was deleted from one in which the Role is missing: only the first has nothing to release. */
function namespacesRules(options: InstallOptions): Rule[] {
  return [{ apiGroups: [''], resources: ['namespaces'], resourceNames: [...options.namespaces], verbs: ['get'] }]
}

/** What a takeover and a release need in the Service's namespace, and what Connections lead to. */
function interceptingRules(options: InstallOptions): Rule[] {
  return [
    {
      apiGroups: [''],
      resources: ['services'],
      verbs: [...read, 'create', 'patch', 'update', 'delete'],
    },
    // Where OwnerReferencesPermissionEnforcement is on, an owner may only be named by who could finalize it.
    { apiGroups: [''], resources: ['services/finalizers'], verbs: ['update'] },
    {
      apiGroups: ['discovery.k8s.io'],
      resources: ['endpointslices'],
      verbs: [...read, 'create', 'patch', 'update', 'delete'],
    },
    // OpenShift asks for these before it accepts endpoints with addresses of pods.
    { apiGroups: [''], resources: ['endpoints/restricted'], verbs: ['create'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices/restricted'], verbs: ['create'] },
    // An Intercept may send requests to a pod.
    { apiGroups: [''], resources: ['pods'], verbs: read },
    { apiGroups: [GROUP], resources: ['intercepts'], verbs: [...read, 'patch', 'update', 'delete'] },
    { apiGroups: [GROUP], resources: ['intercepts/status'], verbs: ['get', 'patch', 'update'] },
    { apiGroups: [GROUP], resources: ['connections'], verbs: [...read, 'delete'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
    ...(options.tlsSecrets ? [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] : []),
  ]
}

function systemRules(): Rule[] {
  return [
    { apiGroups: [''], resources: ['pods'], verbs: read },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      resourceNames: [PROXY_NAME],
      verbs: ['get', 'patch', 'update', 'delete'],
    },
    // RBAC cannot bind `create` to a name.
    { apiGroups: [''], resources: ['configmaps', 'secrets'], verbs: ['create'] },
    {
      apiGroups: [''],
      resources: ['configmaps', 'secrets'],
      resourceNames: [CA_NAME],
      verbs: ['get', 'patch', 'update', 'delete'],
    },
  ]
}

function teamRoles(options: InstallOptions): RbacObject[] {
  const aggregate = {
    'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
    'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
  }
  const holding: Rule = {
    apiGroups: [GROUP],
    resources: ['intercepts'],
    verbs: [...read, 'create', 'patch', 'update', 'delete', 'deletecollection'],
  }
  const connecting: Rule = {
    apiGroups: [GROUP],
    resources: ['connections'],
    verbs: [...read, 'create', 'patch', 'update', 'delete'],
  }
  const looking: Rule[] = [
    { apiGroups: [''], resources: ['services', 'pods'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  ]
  return [
    clusterRole(options, 'intercept-user', [holding, connecting, ...looking], aggregate),
    // Part of `edit` too: who may start a pod reaches as far from it.
    clusterRole(
      options,
      'intercept-outbound',
      [{ ...connecting, verbs: [...connecting.verbs, REACH_ANYWHERE_VERB] }],
      aggregate,
    ),
    clusterRole(options, 'intercept-admin', [
      { ...holding, verbs: [...holding.verbs, REVOKE_VERB, INTERCEPT_WHOLE_VERB] },
      { ...connecting, verbs: [...connecting.verbs, REVOKE_VERB, REACH_ANYWHERE_VERB] },
      ...looking,
      // What `intercept restore` does with nothing of ours alive.
      { apiGroups: [''], resources: ['services'], verbs: ['patch', 'delete'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['delete'] },
    ]),
  ]
}

/** All that a tunnel needs: the gateway itself checks the key of an Intercept or a Connection. */
function tunnelRules(options: InstallOptions): Rule[] {
  const replicas = Array.from({ length: options.replicas }, (_, ordinal) => `${PROXY_STATEFULSET}-${ordinal}`)
  return [
    { apiGroups: [''], resources: ['pods'], verbs: read },
    {
      apiGroups: [''],
      resources: ['pods/proxy'],
      resourceNames: replicas.map((name) => `https:${name}:${GATEWAY_PORT}`),
      verbs: ['get', 'create'],
    },
    ...(options.access.portForward
      ? [{ apiGroups: [''], resources: ['pods/portforward'], resourceNames: replicas, verbs: ['get', 'create'] }]
      : []),
    { apiGroups: [''], resources: ['configmaps'], resourceNames: [CA_NAME], verbs: ['get'] },
  ]
}

function proxySubject(options: InstallOptions): object {
  return { kind: 'ServiceAccount', name: PROXY_NAME, namespace: options.namespace }
}

function clusterRole(
  options: InstallOptions,
  name: string,
  rules: Rule[],
  labels?: Record<string, string>,
): RbacObject {
  return { apiVersion, kind: 'ClusterRole', metadata: clusterMetadata(options, name, labels), rules }
}

function clusterBinding(options: InstallOptions, name: string): RbacObject {
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: clusterMetadata(options, name),
    roleRef: { apiGroup, kind: 'ClusterRole', name },
    subjects: [proxySubject(options)],
  }
}

function role(options: InstallOptions, name: string, rules: Rule[], namespace?: string): RbacObject {
  return { apiVersion, kind: 'Role', metadata: metadata(options, name, namespace), rules }
}

function binding(options: InstallOptions, name: string, subjects: readonly object[], namespace?: string): RbacObject {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: metadata(options, name, namespace),
    roleRef: { apiGroup, kind: 'Role', name },
    subjects,
  }
}
