import type { KubeObject } from './types.ts'

/** The fields that we use of Kubernetes' own objects; the API server sends more, and they are kept. */

export type IntOrString = number | string

export interface ServicePort {
  name?: string
  /** TCP where absent. */
  protocol?: 'TCP' | 'UDP' | 'SCTP'
  appProtocol?: string
  port: number
  targetPort?: IntOrString
  nodePort?: number
}

export interface Service extends KubeObject {
  spec: {
    type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
    selector?: Record<string, string>
    ports?: ServicePort[]
    /** 'None': headless. */
    clusterIP?: string
    clusterIPs?: string[]
    ipFamilies?: ('IPv4' | 'IPv6')[]
    ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
    externalName?: string
    sessionAffinity?: 'None' | 'ClientIP'
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } }
    publishNotReadyAddresses?: boolean
    internalTrafficPolicy?: 'Cluster' | 'Local'
    externalTrafficPolicy?: 'Cluster' | 'Local'
  }
}

export interface ObjectReference {
  apiVersion?: string
  kind?: string
  namespace?: string
  name?: string
  uid?: string
  fieldPath?: string
}

export interface Endpoint {
  addresses: string[]
  /** Absent `ready` counts as true. */
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }
  hostname?: string
  nodeName?: string
  zone?: string
  targetRef?: ObjectReference
}

export interface EndpointPort {
  name?: string
  protocol?: 'TCP' | 'UDP' | 'SCTP'
  port?: number
  appProtocol?: string
}

export interface EndpointSlice extends KubeObject {
  addressType: 'IPv4' | 'IPv6' | 'FQDN'
  endpoints: Endpoint[] | null
  ports: EndpointPort[] | null
}

/** The older form, which some readers still use. */
export interface Endpoints extends KubeObject {
  subsets?: { addresses?: { ip: string }[]; notReadyAddresses?: { ip: string }[]; ports?: EndpointPort[] }[]
}

export interface ContainerPort {
  name?: string
  containerPort: number
  protocol?: 'TCP' | 'UDP' | 'SCTP'
}

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: {
    fieldRef?: { apiVersion?: string; fieldPath: string }
    resourceFieldRef?: { containerName?: string; resource: string; divisor?: string | number }
    configMapKeyRef?: { name: string; key: string; optional?: boolean }
    secretKeyRef?: { name: string; key: string; optional?: boolean }
    /** A file that an init container wrote; only the kubelet sees it. */
    fileKeyRef?: { volumeName: string; path: string; key: string; optional?: boolean }
  }
}

/** Quantities by resource name; a plain number where the client wrote one. */
export type ResourceList = Record<string, string | number>

export interface ResourceRequirements {
  limits?: ResourceList
  requests?: ResourceList
}

export interface Container {
  name: string
  image?: string
  command?: string[]
  args?: string[]
  ports?: ContainerPort[]
  env?: EnvVar[]
  envFrom?: {
    prefix?: string
    configMapRef?: { name: string; optional?: boolean }
    secretRef?: { name: string; optional?: boolean }
  }[]
  resources?: ResourceRequirements
  volumeMounts?: VolumeMount[]
  /** Block devices. */
  volumeDevices?: { name: string; devicePath: string }[]
}

export interface VolumeMount {
  name: string
  mountPath: string
  subPath?: string
  /** Like `subPath`, with `$(NAME)` of the container's environment. */
  subPathExpr?: string
  readOnly?: boolean
}

export interface KeyToPath {
  key: string
  path: string
  mode?: number
}

interface KeyedSource {
  /** All keys, each a file of its name, where absent. */
  items?: KeyToPath[]
  optional?: boolean
}

export interface DownwardFile {
  path: string
  fieldRef?: { apiVersion?: string; fieldPath: string }
  resourceFieldRef?: { containerName?: string; resource: string; divisor?: string | number }
  mode?: number
}

export interface VolumeProjection {
  configMap?: KeyedSource & { name: string }
  secret?: KeyedSource & { name: string }
  downwardAPI?: { items?: DownwardFile[] }
  serviceAccountToken?: { path: string; audience?: string; expirationSeconds?: number }
  clusterTrustBundle?: { path: string; name?: string; signerName?: string; optional?: boolean }
  /** Sources of other kinds. */
  [kind: string]: unknown
}

/** Modes are numbers here, 0644 where absent. */
export interface Volume {
  name: string
  configMap?: KeyedSource & { name: string; defaultMode?: number }
  secret?: KeyedSource & { secretName: string; defaultMode?: number }
  projected?: { sources?: VolumeProjection[]; defaultMode?: number }
  downwardAPI?: { items?: DownwardFile[]; defaultMode?: number }
  emptyDir?: { medium?: string; sizeLimit?: string | number }
  persistentVolumeClaim?: { claimName: string; readOnly?: boolean }
  /** Volumes of other kinds: `hostPath`, `csi` … */
  [kind: string]: unknown
}

export interface ContainerStatus {
  name: string
  ready: boolean
  restartCount: number
  image?: string
  state?: {
    waiting?: { reason?: string; message?: string }
    running?: { startedAt?: string }
    terminated?: { exitCode: number; reason?: string; message?: string; finishedAt?: string }
  }
  lastState?: ContainerStatus['state']
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime?: string
  observedGeneration?: number
}

export interface PodSpec {
  containers: Container[]
  initContainers?: (Container & { restartPolicy?: string })[]
  volumes?: Volume[]
  nodeName?: string
  hostNetwork?: boolean
  serviceAccountName?: string
  /** Over that of the service account; true where both are absent. */
  automountServiceAccountToken?: boolean
  dnsPolicy?: string
  hostAliases?: { ip: string; hostnames?: string[] }[]
  terminationGracePeriodSeconds?: number
  /** True where absent. */
  enableServiceLinks?: boolean
  /** For the whole pod. */
  resources?: ResourceRequirements
}

export interface Pod extends KubeObject {
  spec: PodSpec
  status?: {
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
    podIP?: string
    podIPs?: { ip: string }[]
    hostIP?: string
    hostIPs?: { ip: string }[]
    startTime?: string
    reason?: string
    message?: string
    conditions?: Condition[]
    containerStatuses?: ContainerStatus[]
    initContainerStatuses?: ContainerStatus[]
  }
}

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values?: string[] }[]
}

interface Workload extends KubeObject {
  spec: {
    replicas?: number
    selector: LabelSelector
    template: { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec }
  }
}

export interface Deployment extends Workload {
  status?: {
    observedGeneration?: number
    replicas?: number
    readyReplicas?: number
    updatedReplicas?: number
    availableReplicas?: number
    conditions?: Condition[]
  }
}

export interface StatefulSet extends Workload {
  status?: {
    observedGeneration?: number
    replicas?: number
    readyReplicas?: number
    updatedReplicas?: number
    availableReplicas?: number
    currentRevision?: string
    updateRevision?: string
  }
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>
  /** Base64. */
  binaryData?: Record<string, string>
  immutable?: boolean
}

export interface Secret extends KubeObject {
  type?: string
  /** Base64. */
  data?: Record<string, string>
  stringData?: Record<string, string>
}

export interface ServiceAccount extends KubeObject {
  automountServiceAccountToken?: boolean
}

/** What the `token` subresource of a service account takes and gives. */
export interface TokenRequest {
  apiVersion: 'authentication.k8s.io/v1'
  kind: 'TokenRequest'
  /** No audience means that of the API server. The answer has the seconds that were granted. */
  spec: { audiences?: string[]; expirationSeconds?: number }
  status?: { token: string; expirationTimestamp: string }
}

export interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    /** RFC 3339 with microseconds. */
    acquireTime?: string
    renewTime?: string
    leaseTransitions?: number
  }
}

export interface Namespace extends KubeObject {
  status?: { phase?: 'Active' | 'Terminating' }
}

export interface Node extends KubeObject {
  status?: { allocatable?: ResourceList }
}

export interface Event extends KubeObject {
  involvedObject: ObjectReference
  reason?: string
  message?: string
  type?: 'Normal' | 'Warning'
  count?: number
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  eventTime?: string | null
  reportingComponent?: string
  reportingInstance?: string
  action?: string
  source?: { component?: string; host?: string }
}

export interface Job extends KubeObject {
  spec: Record<string, unknown>
  status?: { succeeded?: number; failed?: number; conditions?: Condition[] }
}
