import type { KubeObject } from '../../src/kube/types.ts'
import { PREVIEW_PORT_NAME, PREVIEW_SERVICE, PROXY_LABELS } from '../../src/resource/names.ts'
import { metadata } from './metadata.ts'
import type { InstallOptions } from './options.ts'

type Manifest = KubeObject & { spec: object }

/** The way to preview host names: a Service of the proxy pods, and an Ingress where it is wanted. */
export function preview(options: InstallOptions): Manifest[] {
  const { enabled, ingress } = options.preview
  if (!enabled) return []
  return [previewService(options), ...(ingress.enabled ? [previewIngress(options)] : [])]
}

function previewService(options: InstallOptions): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(options, PREVIEW_SERVICE),
    spec: {
      selector: { ...PROXY_LABELS },
      ports: [
        { name: PREVIEW_PORT_NAME, port: 80, targetPort: PREVIEW_PORT_NAME, protocol: 'TCP', appProtocol: 'http' },
      ],
    },
  }
}

function previewIngress(options: InstallOptions): Manifest {
  const { domain, ingress } = options.preview
  const host = `*.${domain}`
  const service = { name: PREVIEW_SERVICE, port: { name: PREVIEW_PORT_NAME } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata(
      { ...options, annotations: { ...options.annotations, ...ingress.annotations } },
      PREVIEW_SERVICE,
    ),
    spec: {
      ...(ingress.className === '' ? {} : { ingressClassName: ingress.className }),
      ...(ingress.tlsSecretName === '' ? {} : { tls: [{ hosts: [host], secretName: ingress.tlsSecretName }] }),
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] } }],
    },
  }
}
