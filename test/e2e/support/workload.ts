import type { ConfigMap, Container, Deployment, Pod, Service, Volume } from '../../../src/kube/objects.ts'
import { configMaps, deployments, pods, services } from '../../../src/kube/resources.ts'
import type { Kube, KubeObject } from '../../../src/kube/types.ts'
import { bundleForConfigMap } from './bundles.ts'
import { until } from './until.ts'

/** Gunzips the script of a ConfigMap into the pod's temporary folder and runs it. */
const start = [
  'node',
  '-e',
  "const{gunzipSync}=require('node:zlib'),{readFileSync,writeFileSync}=require('node:fs'),t=require('node:os').tmpdir()+'/main-'+process.pid+'.mjs';writeFileSync(t,gunzipSync(readFileSync(process.argv[1])));import(t)",
  '/script/main.mjs.gz',
]

export const appPorts = { http: 8080, tcp: 9000, udp: 9001, grpc: 9002, https: 9443 } as const

/** Makes a Deployment of the test server (or of the caller) in a namespace and waits until its pods are ready. */
export async function deploy(
  kube: Kube,
  namespace: string,
  name: string,
  options: {
    script: 'app' | 'caller'
    replicas?: number
    labels?: Record<string, string>
    env?: Readonly<Record<string, string>>
    /** More of the container; its `env` comes after the rest. */
    container?: Pick<Container, 'env' | 'envFrom' | 'resources'>
    mounts?: readonly { readonly mountPath: string; readonly volume: Omit<Volume, 'name'> }[]
  },
): Promise<void> {
  const labels = { app: name, ...options.labels }
  await kube.create<ConfigMap & { binaryData: Record<string, string> }>(configMaps, {
    metadata: { name: `${name}-script`, namespace },
    binaryData: { 'main.mjs.gz': await bundleForConfigMap(options.script) },
  })
  const ports =
    options.script === 'caller'
      ? [{ name: 'control', containerPort: 9100 }]
      : Object.entries(appPorts).map(([port, containerPort]) => ({
          name: port,
          containerPort,
          protocol: port === 'udp' ? ('UDP' as const) : ('TCP' as const),
        }))
  const probe = {
    httpGet: { path: '/healthz', port: options.script === 'caller' ? 'control' : 'http' },
    periodSeconds: 1,
  }
  await kube.create(deployments, {
    metadata: { name, namespace },
    spec: {
      replicas: options.replicas ?? 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: 'main',
              image: 'node:24-alpine',
              imagePullPolicy: 'IfNotPresent',
              command: start,
              env: [
                { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                ...Object.entries(options.env ?? {}).map(([name, value]) => ({ name, value })),
                ...(options.container?.env ?? []),
              ],
              envFrom: options.container?.envFrom ?? [],
              resources: options.container?.resources ?? {},
              ports,
              readinessProbe: probe,
              volumeMounts: [
                { name: 'script', mountPath: '/script' },
                ...(options.mounts ?? []).map(({ mountPath }, index) => ({ name: `more-${index}`, mountPath })),
              ],
            },
          ],
          volumes: [
            { name: 'script', configMap: { name: `${name}-script` } },
            ...(options.mounts ?? []).map(({ volume }, index) => ({ name: `more-${index}`, ...volume })),
          ],
        },
      },
    },
  } as KubeObject)
  await until(`${name} ready`, async () => {
    const found = await kube.get<Deployment>(deployments, namespace, name)
    return (found.status?.readyReplicas ?? 0) >= (options.replicas ?? 1)
  })
}

/** Makes a Service of such a Deployment. */
export async function expose(
  kube: Kube,
  namespace: string,
  name: string,
  spec: Partial<Service['spec']> = {},
): Promise<Service> {
  return kube.create<Service>(services, {
    metadata: { name, namespace },
    spec: {
      selector: { app: name },
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
      ...spec,
    },
  })
}

export async function podsOf(kube: Kube, namespace: string, app: string): Promise<Pod[]> {
  return kube.list<Pod>(pods, { namespace, labelSelector: `app=${app}` })
}
