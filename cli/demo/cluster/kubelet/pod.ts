import type { Volume as KubeVolume } from '../../../../src/kube/objects.ts'
import type { KubeObject } from '../../../../src/kube/types.ts'

/** The fields of a pod that the kubelet reads, defaults filled in. */
export interface Pod extends KubeObject {
  spec: PodSpec
  status?: PodStatus
}

export type Volume = KubeVolume

export interface PodSpec {
  nodeName?: string
  containers: Container[]
  initContainers?: Container[]
  volumes?: Volume[]
  restartPolicy: 'Always' | 'OnFailure' | 'Never'
  terminationGracePeriodSeconds: number
  serviceAccountName?: string
  enableServiceLinks?: boolean
  hostname?: string
  subdomain?: string
}

export interface Container {
  name: string
  image: string
  command?: string[]
  args?: string[]
  workingDir?: string
  env?: EnvVar[]
  envFrom?: { prefix?: string; configMapRef?: OptionalName; secretRef?: OptionalName }[]
  ports?: { name?: string; containerPort: number; protocol: string }[]
  volumeMounts?: { name: string; mountPath: string; subPath?: string; subPathExpr?: string }[]
  readinessProbe?: Probe
  livenessProbe?: Probe
  startupProbe?: Probe
  lifecycle?: { preStop?: PreStop }
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> }
}

export interface OptionalName {
  name: string
  optional?: boolean
}

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: {
    fieldRef?: { fieldPath: string }
    resourceFieldRef?: { resource: string }
    configMapKeyRef?: OptionalName & { key: string }
    secretKeyRef?: OptionalName & { key: string }
  }
}

export interface HttpGet {
  path?: string
  port: number | string
  scheme?: string
  host?: string
  httpHeaders?: { name: string; value: string }[]
}

export interface PreStop {
  exec?: { command: string[] }
  httpGet?: HttpGet
  sleep?: { seconds: number }
}

export interface Probe {
  httpGet?: HttpGet
  tcpSocket?: { port: number | string }
  exec?: { command: string[] }
  initialDelaySeconds?: number
  timeoutSeconds: number
  periodSeconds: number
  successThreshold: number
  failureThreshold: number
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  lastTransitionTime: string
  lastProbeTime?: null
  reason?: string
  message?: string
}

export interface ContainerStatus {
  name: string
  image: string
  imageID: string
  ready: boolean
  started: boolean
  restartCount: number
  state: ContainerState
  lastState: ContainerState
  containerID?: string
}

export interface ContainerState {
  waiting?: { reason: string; message?: string }
  running?: { startedAt: string }
  terminated?: {
    exitCode: number
    reason: string
    message?: string
    startedAt: string
    finishedAt: string
    signal?: number
  }
}

export interface PodStatus {
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  conditions?: Condition[]
  hostIP?: string
  hostIPs?: { ip: string }[]
  podIP?: string
  podIPs?: { ip: string }[]
  startTime?: string
  reason?: string
  message?: string
  initContainerStatuses?: ContainerStatus[]
  containerStatuses?: ContainerStatus[]
  qosClass?: string
}
