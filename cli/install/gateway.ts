import type { KubeObject } from '../../src/kube/types.ts'
import { GATEWAY_PORT, GATEWAY_PORT_NAME, GATEWAY_SERVICE, PROXY_STATEFULSET } from '../../src/resource/names.ts'
import { metadata } from './metadata.ts'
import type { InstallOptions } from './options.ts'

type Manifest = KubeObject & { spec: object }

/** A tunnel is to one replica: each has a Service of its own, where laptops come past the API server. */
export function gatewayServices(options: InstallOptions): Manifest[] {
  const { type } = options.gateway.service
  if (type === '') return []
  return Array.from({ length: options.replicas }, (_, ordinal) => gatewayService(options, type, ordinal))
}

/** The replica that a Service of that name is of. */
export function ordinalOfGatewayService(name: string): number | undefined {
  const [, ordinal] = new RegExp(`^${GATEWAY_SERVICE}-(\\d{1,2})$`).exec(name) ?? []
  return ordinal === undefined ? undefined : Number(ordinal)
}

function gatewayService(options: InstallOptions, type: string, ordinal: number): Manifest {
  const { nodePort, annotations } = options.gateway.service
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(
      { ...options, annotations: { ...options.annotations, ...annotations } },
      `${GATEWAY_SERVICE}-${ordinal}`,
    ),
    spec: {
      type,
      selector: { 'statefulset.kubernetes.io/pod-name': `${PROXY_STATEFULSET}-${ordinal}` },
      // A laptop comes back to a proxy pod that has only just started.
      publishNotReadyAddresses: true,
      ports: [
        {
          name: GATEWAY_PORT_NAME,
          port: GATEWAY_PORT,
          targetPort: GATEWAY_PORT_NAME,
          protocol: 'TCP',
          ...(nodePort === 0 ? {} : { nodePort: nodePort + ordinal }),
        },
      ],
    },
  }
}
