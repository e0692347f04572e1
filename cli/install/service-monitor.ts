import type { KubeObject } from '../../src/kube/types.ts'
import {
  CA_CERT_KEY,
  CA_NAME,
  GATEWAY_PORT_NAME,
  gatewayServerName,
  PROXY_LABELS,
  PROXY_NAME,
} from '../../src/resource/names.ts'
import { metadata } from './metadata.ts'
import type { InstallOptions } from './options.ts'

/** For the Prometheus operator. */
export function serviceMonitor(options: InstallOptions): (KubeObject & { spec: object })[] {
  if (!options.serviceMonitor.enabled) return []
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: metadata(options, PROXY_NAME),
      spec: {
        selector: { matchLabels: { ...PROXY_LABELS } },
        endpoints: [
          {
            port: GATEWAY_PORT_NAME,
            scheme: 'https',
            path: '/metrics',
            tlsConfig: {
              ca: { configMap: { name: CA_NAME, key: CA_CERT_KEY } },
              serverName: gatewayServerName(options.namespace),
            },
          },
        ],
      },
    },
  ]
}
