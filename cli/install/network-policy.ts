import type { KubeObject } from '../../src/kube/types.ts'
import { PROXY_LABELS, PROXY_NAME } from '../../src/resource/names.ts'
import { metadata } from './metadata.ts'
import type { InstallOptions } from './options.ts'

/**
 * For clusters that deny by default. The proxy stands in for any Service on any port and speaks to any origin, so both
 * directions are open; the gateway itself admits nobody without an Intercept's key.
 */
export function networkPolicy(options: InstallOptions): (KubeObject & { spec: object })[] {
  if (!options.networkPolicy.enabled) return []
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metadata(options, PROXY_NAME),
      spec: {
        podSelector: { matchLabels: { ...PROXY_LABELS } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{}],
        egress: [{}],
      },
    },
  ]
}
