import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedCluster } from '../../../cli/demo/cluster/cluster.ts'
import { runCli } from './cli.ts'
import type { ClusterDriver } from './cluster.ts'
import { startLinkRelay } from './link-relay.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A Kubernetes in this process; the CLI reaches its API server over a link that can be cut. */
export async function embeddedDriver(): Promise<ClusterDriver> {
  const cluster = await startEmbeddedCluster()
  const { hostname, port } = new URL(cluster.server)
  const relay = await startLinkRelay({ host: hostname, port: Number(port) })
  const laptopKubeconfig = join(temporaryFolder(), 'laptop.kubeconfig')
  writeFileSync(
    laptopKubeconfig,
    readFileSync(cluster.kubeconfigPath, 'utf8').replaceAll(cluster.server, `https://127.0.0.1:${relay.port}`),
  )
  const stop = async (): Promise<void> => {
    relay.stop()
    await cluster.stop()
  }
  const installed = await runCli(['install'], { kubeconfig: cluster.kubeconfigPath })
  if (installed.code !== 0) {
    await stop()
    throw new Error(`intercept install failed:\n${installed.stdout}${installed.stderr}`)
  }
  return {
    kind: 'embedded',
    kubeconfig: cluster.kubeconfigPath,
    laptopKubeconfig,
    laptop: [],
    link: relay.link,
    address: (service, port) => cluster.serviceAddress(service.metadata.namespace ?? '', service.metadata.name, port),
    podUrl: (namespace, pod, port) => {
      const at = cluster.podAddress(namespace, pod, port)
      return `http://${at.host}:${at.port}`
    },
    pauseApi: async () => {
      await cluster.pauseApi()
      return () => cluster.resumeApi()
    },
    stop,
  }
}
