import { randomBytes } from 'node:crypto'
import { connectKube } from '../../../src/kube/index.ts'
import type { EndpointSlice, Service } from '../../../src/kube/objects.ts'
import { endpointSlices, namespaces, services } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { embeddedDriver } from './embedded-driver.ts'
import { kubeconfigDriver } from './kubeconfig-driver.ts'
import { until } from './until.ts'

/** What differs between the embedded cluster and a real one. */
export interface ClusterDriver {
  readonly kind: 'embedded' | 'kubeconfig'
  readonly kubeconfig: string
  /** The same cluster as the laptop reaches it, over its link; default: `kubeconfig`. */
  readonly laptopKubeconfig?: string
  /** Runs a command as on the developer's machine; empty where that is this one. */
  readonly laptop: readonly string[]
  /** The laptop's link, where there is one to break. */
  readonly link?: Link
  /** Where callers in pods reach a port of a Service. */
  address(service: Service, port: number): { host: string; port: number } | Promise<{ host: string; port: number }>
  /** A way to a pod's port that does not go through the API server. */
  podUrl?(namespace: string, pod: string, port: number): string
  /** The API server does not answer for so long. */
  pauseApi?(): Promise<() => Promise<void>>
  stop(): Promise<void>
}

export interface Link {
  set(...options: string[]): Promise<void>
}

export interface TestCluster {
  readonly driver: ClusterDriver
  readonly kube: Kube
  /** Makes a namespace; it goes with `stop`. */
  createNamespace(): Promise<string>
  /** Where callers reach a Service. */
  at(namespace: string, service: string, port?: number): Promise<{ host: string; port: number }>
  stop(): Promise<void>
}

/** Callers of a headless Service dial one of its endpoints, as DNS tells them. */
async function endpointOf(kube: Kube, { metadata }: Service): Promise<{ host: string; port: number }> {
  return until(`an endpoint of ${metadata.name}`, async () => {
    const slices = await kube.list<EndpointSlice>(endpointSlices, {
      namespace: metadata.namespace,
      labelSelector: `kubernetes.io/service-name=${metadata.name}`,
    })
    const slice = slices.find(({ endpoints }) =>
      (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false),
    )
    const [host] = slice?.endpoints?.find(({ conditions }) => conditions?.ready !== false)?.addresses ?? []
    const port = slice?.ports?.[0]?.port
    return host === undefined || port === undefined ? undefined : { host, port }
  })
}

export const isEmbedded = process.env.INTERCEPT_TEST_CLUSTER !== 'kubeconfig'

/** The cluster under test, with the proxy installed. */
export async function startTestCluster(): Promise<TestCluster> {
  const driver = isEmbedded ? await embeddedDriver() : await kubeconfigDriver()
  const kube = await connectKube({ kubeconfig: driver.kubeconfig })
  const made: string[] = []
  return {
    driver,
    kube,
    createNamespace: async () => {
      const name = `e2e-${randomBytes(3).toString('hex')}`
      await kube.create(namespaces, { metadata: { name } })
      made.push(name)
      return name
    },
    at: async (namespace, service, port = 80) => {
      const found = await until(`Service ${service}`, () => kube.find<Service>(services, namespace, service))
      return found.spec.clusterIP === 'None' ? endpointOf(kube, found) : driver.address(found, port)
    },
    stop: async () => {
      for (const name of made) await kube.delete(namespaces, undefined, name)
      await driver.stop()
    },
  }
}
