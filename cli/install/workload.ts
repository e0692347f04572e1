import { createHash } from 'node:crypto'
import type { KubeObject } from '../../src/kube/types.ts'
import {
  GATEWAY_PORT,
  GATEWAY_PORT_NAME,
  GATEWAY_SERVICE,
  PROXY_LABELS,
  PROXY_NAME,
  PROXY_STATEFULSET,
} from '../../src/resource/names.ts'
import { podSecurity, proxyContainer } from './container.ts'
import { commonLabels, metadata } from './metadata.ts'
import type { InstallOptions } from './options.ts'

/** Key in the ConfigMap, and name of the file that the container starts from. */
export const BUNDLE_FILE = 'proxy-pod.js.gz'
/** Changes with the bundle, so that an upgrade rolls the pods. */
export const BUNDLE_CHECKSUM = 'intercept.dev/bundle-sha256'

type Manifest = KubeObject & Record<string, unknown>

/** `bundle` is the gzipped JavaScript of the proxy pod. */
export function workload(options: InstallOptions, bundle: Buffer): Manifest[] {
  return [
    bundleConfigMap(options, bundle),
    gatewayService(options),
    ...disruptionBudget(options),
    statefulSet(options, bundle),
  ]
}

function bundleConfigMap(options: InstallOptions, bundle: Buffer): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(options, PROXY_NAME),
    binaryData: { [BUNDLE_FILE]: bundle.toString('base64') },
  }
}

function gatewayService(options: InstallOptions): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(options, GATEWAY_SERVICE),
    spec: {
      clusterIP: 'None',
      selector: { ...PROXY_LABELS },
      ports: [{ name: GATEWAY_PORT_NAME, port: GATEWAY_PORT, targetPort: GATEWAY_PORT_NAME, protocol: 'TCP' }],
    },
  }
}

/** With one replica a budget would only keep its node from being drained. */
function disruptionBudget(options: InstallOptions): Manifest[] {
  if (options.replicas < 2) return []
  return [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadata(options, PROXY_NAME),
      spec: {
        minAvailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: { ...PROXY_LABELS } },
      },
    },
  ]
}

function statefulSet(options: InstallOptions, bundle: Buffer): Manifest {
  const checksum = createHash('sha256').update(bundle).digest('hex')
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata(options, PROXY_STATEFULSET),
    spec: {
      replicas: options.replicas,
      serviceName: GATEWAY_SERVICE,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: { ...PROXY_LABELS } },
      template: {
        metadata: {
          labels: commonLabels(options),
          annotations: { ...options.annotations, [BUNDLE_CHECKSUM]: checksum },
        },
        spec: podSpec(options),
      },
    },
  }
}

function podSpec(options: InstallOptions): Record<string, unknown> {
  const own = { labelSelector: { matchLabels: { ...PROXY_LABELS } } }
  const spread = {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', ...own } },
      ],
    },
  }
  return {
    serviceAccountName: PROXY_NAME,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 90,
    securityContext: podSecurity,
    containers: [proxyContainer(options)],
    volumes: [
      { name: 'bundle', configMap: { name: PROXY_NAME } },
      { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
    ],
    affinity: Object.keys(options.affinity).length > 0 ? options.affinity : spread,
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', ...own },
    ],
    ...(Object.keys(options.nodeSelector).length > 0 ? { nodeSelector: options.nodeSelector } : {}),
    ...(options.tolerations.length > 0 ? { tolerations: options.tolerations } : {}),
    ...(options.priorityClassName === '' ? {} : { priorityClassName: options.priorityClassName }),
    ...(options.imagePullSecrets.length > 0 ? { imagePullSecrets: options.imagePullSecrets } : {}),
  }
}
