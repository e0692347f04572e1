import { GATEWAY_PORT, GATEWAY_PORT_NAME, PREVIEW_PORT, PREVIEW_PORT_NAME } from '../../src/resource/names.ts'
import type { InstallOptions } from './options.ts'

/**
 * Runs the bundle from the ConfigMap. It is written to /tmp first: an ES module needs a file of its own for `import`,
 * and stack traces then name it.
 */
export const BOOTSTRAP = [
  "import { readFileSync, writeFileSync } from 'node:fs'",
  "import { gunzipSync } from 'node:zlib'",
  "writeFileSync('/tmp/proxy-pod.mjs', gunzipSync(readFileSync('/bundle/proxy-pod.js.gz')))",
  "await import('/tmp/proxy-pod.mjs')",
].join('\n')

/** Meets the Pod Security Standard "restricted". */
export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: 1000,
  runAsGroup: 1000,
  fsGroup: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
  // Listeners of a headless Service are on the Service's own port, which may be 80. A safe sysctl, of this pod only.
  sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
}

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

export function proxyContainer(options: InstallOptions): Record<string, unknown> {
  return {
    name: 'proxy',
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    command: ['node', '--input-type=module', '-e', BOOTSTRAP],
    env: [
      fieldEnv('POD_NAME', 'metadata.name'),
      fieldEnv('POD_NAMESPACE', 'metadata.namespace'),
      fieldEnv('POD_UID', 'metadata.uid'),
      fieldEnv('POD_IP', 'status.podIP'),
      fieldEnv('POD_IPS', 'status.podIPs'),
      fieldEnv('NODE_NAME', 'spec.nodeName'),
      { name: 'INTERCEPT_NAMESPACES', value: options.namespaces.join(',') },
      { name: 'INTERCEPT_REPLICAS', value: String(options.replicas) },
      { name: 'LOG_LEVEL', value: options.logLevel },
      ...(options.forwardedHeaders.length > 0
        ? [{ name: 'INTERCEPT_FORWARDED_HEADERS', value: options.forwardedHeaders.join(',') }]
        : []),
      ...outboundEnv(options),
      ...(options.gateway.address === ''
        ? []
        : [{ name: 'INTERCEPT_GATEWAY_ADDRESS', value: options.gateway.address }]),
      ...previewEnv(options),
    ],
    ports: [
      { name: GATEWAY_PORT_NAME, containerPort: GATEWAY_PORT, protocol: 'TCP' },
      ...(options.preview.enabled ? [{ name: PREVIEW_PORT_NAME, containerPort: PREVIEW_PORT, protocol: 'TCP' }] : []),
    ],
    readinessProbe: { httpGet: probe('/readyz'), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 2 },
    livenessProbe: {
      httpGet: probe('/healthz'),
      initialDelaySeconds: 10,
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    resources: options.resources,
    securityContext: containerSecurity,
    volumeMounts: [
      { name: 'bundle', mountPath: '/bundle', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
}

function outboundEnv({ outbound: { allow, deny } }: InstallOptions): object[] {
  return [
    ...(allow.length > 0 ? [{ name: 'INTERCEPT_OUTBOUND_ALLOW', value: allow.join(',') }] : []),
    ...(deny.length > 0 ? [{ name: 'INTERCEPT_OUTBOUND_DENY', value: deny.join(',') }] : []),
  ]
}

function previewEnv({ preview }: InstallOptions): object[] {
  if (!preview.enabled) return []
  return [
    { name: 'INTERCEPT_PREVIEW_DOMAIN', value: preview.domain },
    { name: 'INTERCEPT_PREVIEW_SERVICE', value: `${preview.namespace}/${preview.service}:${preview.port}` },
    ...(preview.host === '' ? [] : [{ name: 'INTERCEPT_PREVIEW_HOST', value: preview.host }]),
  ]
}

function probe(path: string): object {
  return { path, port: GATEWAY_PORT_NAME, scheme: 'HTTPS' }
}

function fieldEnv(name: string, fieldPath: string): object {
  return { name, valueFrom: { fieldRef: { fieldPath } } }
}
