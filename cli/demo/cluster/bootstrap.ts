import { arch, cpus, totalmem } from 'node:os'
import type { KubeObject } from '../../../src/kube/types.ts'
import type { Control } from './controllers/control.ts'
import type { Address } from './network/reach.ts'
import { defaultRoles } from './resources/default-roles.ts'
import { timestamp } from './timestamp.ts'

export const nodeName = 'embedded'

/** What a fresh cluster holds: namespaces, the node, the Service of the API server, the default roles. */
export function bootstrap(control: Control, nodeAddress: string, apiServer: Address): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    control.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  control.create('nodes', node(nodeAddress))
  for (const [resource, object] of apiService(apiServer)) control.create(resource, object)
  for (const [resource, object] of defaultRoles()) control.create(resource, object)
}

function node(address: string): KubeObject {
  const now = timestamp()
  const machine = arch() === 'x64' ? 'amd64' : arch()
  const capacity = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1_024)}Ki`, pods: '110' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      labels: {
        'kubernetes.io/arch': machine,
        'kubernetes.io/hostname': nodeName,
        'kubernetes.io/os': 'linux',
        'node-role.kubernetes.io/control-plane': '',
      },
    },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          lastHeartbeatTime: now,
          lastTransitionTime: now,
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
        },
      ],
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: nodeName },
      ],
      nodeInfo: {
        architecture: machine,
        operatingSystem: 'linux',
        osImage: `Node.js ${process.version}`,
        kernelVersion: process.version,
        containerRuntimeVersion: 'processes',
        kubeletVersion: 'v1.34.4',
        kubeProxyVersion: '',
        machineID: nodeName,
        systemUUID: nodeName,
        bootID: nodeName,
      },
    },
  } as KubeObject
}

function apiService({ host, port }: Address): [string, KubeObject][] {
  const metadata = { name: 'kubernetes', namespace: 'default' }
  const ports = [{ name: 'https', protocol: 'TCP', port }]
  return [
    [
      'services',
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
        spec: { ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }] },
      } as KubeObject,
    ],
    [
      'endpoints',
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
        subsets: [{ addresses: [{ ip: host }], ports }],
      } as KubeObject,
    ],
    [
      'endpointslices.discovery.k8s.io',
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [host], conditions: { ready: true } }],
        ports,
      } as KubeObject,
    ],
  ]
}
