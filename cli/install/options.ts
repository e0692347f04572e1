import type { ForwardedHeader } from '../../src/http/forwarding-fields.ts'
import { DEFAULT_SYSTEM_NAMESPACE } from '../../src/resource/names.ts'

/** Who may reach the gateway; an entry of a RoleBinding's `subjects`. */
export interface Subject {
  readonly kind: 'Group' | 'User' | 'ServiceAccount'
  readonly name: string
  readonly namespace?: string
  readonly apiGroup?: string
}

/** What an installation may choose: the chart's values (values.yaml has the comments), namespace and version. */
export interface InstallOptions {
  /** Where the proxy runs. */
  readonly namespace: string
  readonly version: string
  readonly replicas: number
  readonly image: string
  readonly imagePullPolicy: string
  readonly imagePullSecrets: readonly { readonly name: string }[]
  readonly resources: Readonly<Record<string, unknown>>
  /** Namespaces that the proxy may act in; empty: all. */
  readonly namespaces: readonly string[]
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly tolerations: readonly object[]
  /** Empty: replicas on different nodes where possible. */
  readonly affinity: Readonly<Record<string, unknown>>
  readonly priorityClassName: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly networkPolicy: { readonly enabled: boolean }
  readonly serviceMonitor: { readonly enabled: boolean }
  readonly access: { readonly subjects: readonly Subject[]; readonly portForward: boolean }
  readonly crd: { readonly create: boolean }
  readonly admissionPolicy: { readonly create: boolean }
  /** False: an Intercept without a match needs the verb `intercept-whole`. Kept by the admission policy. */
  readonly wholeServiceIntercepts: boolean
  /** Whether the proxy may read Secrets where it intercepts: for Intercepts with `spec.tls`. */
  readonly tlsSecrets: boolean
  /** What requests that are looked at are told of the way that they came. */
  readonly forwardedHeaders: readonly ForwardedHeader[]
  /** What laptops may reach through the proxy pods: rules as `parseOutboundRule` reads them. `deny` wins. */
  readonly outbound: { readonly allow: readonly string[]; readonly deny: readonly string[] }
  /** A way to the gateways past the API server. */
  readonly gateway: GatewayValues
  /** Host names that show a Service as one person gets it. */
  readonly preview: PreviewValues
  readonly logLevel: string
}

export interface GatewayValues {
  /** As `parseGatewayAddress` reads it. Empty: laptops come through the API server only. */
  readonly address: string
  /** One Service for each replica, to which the address leads. */
  readonly service: {
    /** Empty: none. */
    readonly type: '' | 'ClusterIP' | 'NodePort' | 'LoadBalancer'
    /** Of the first replica, each further one's is the next; 0: Kubernetes chooses. */
    readonly nodePort: number
    readonly annotations: Readonly<Record<string, string>>
  }
}

export interface PreviewValues {
  readonly enabled: boolean
  /** Names are one label below it. */
  readonly domain: string
  readonly namespace: string
  readonly service: string
  /** Of the Service. */
  readonly port: number
  /** Empty: the Service is asked with the host that the client named. */
  readonly host: string
  readonly ingress: {
    readonly enabled: boolean
    /** Empty: the cluster's default. */
    readonly className: string
    readonly annotations: Readonly<Record<string, string>>
    /** Empty: without TLS. */
    readonly tlsSecretName: string
  }
}

/** The same as charts/intercept/values.yaml; a test keeps it so. */
export const installDefaults: InstallOptions = {
  namespace: DEFAULT_SYSTEM_NAMESPACE,
  version: process.env.INTERCEPT_VERSION ?? 'dev',
  replicas: 2,
  image: 'node:24-alpine',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '512Mi' } },
  namespaces: [],
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [],
  affinity: {},
  priorityClassName: '',
  labels: {},
  annotations: {},
  networkPolicy: { enabled: false },
  serviceMonitor: { enabled: false },
  access: {
    subjects: [{ kind: 'Group', name: 'system:authenticated', apiGroup: 'rbac.authorization.k8s.io' }],
    portForward: true,
  },
  crd: { create: true },
  admissionPolicy: { create: true },
  wholeServiceIntercepts: true,
  tlsSecrets: false,
  forwardedHeaders: [],
  outbound: { allow: [], deny: [] },
  gateway: { address: '', service: { type: '', nodePort: 0, annotations: {} } },
  preview: {
    enabled: false,
    domain: 'preview.example.com',
    namespace: 'shop',
    service: 'web',
    port: 80,
    host: '',
    ingress: { enabled: false, className: '', annotations: {}, tlsSecretName: '' },
  },
  logLevel: 'info',
}
