import type { ConfigMap } from '../../../../src/kube/objects.ts'
import { configMaps } from '../../../../src/kube/resources.ts'
import type { Kube } from '../../../../src/kube/types.ts'
import { database, deployDatabases } from '../../support/databases.ts'
import { deploy, expose } from '../../support/workload.ts'

/** What the pods of `svc/app` have, and the probes look for. */
export const expected = { greeting: 'hello from the pod', file: '{"one":1}' } as const

/** PostgreSQL, Redis, a UDP service `echo`, the alias `partner`, and `svc/app`, whose pods know of them all. */
export async function deployProgramPod(kube: Kube, namespace: string): Promise<void> {
  await kube.create<ConfigMap>(configMaps, {
    metadata: { name: 'app', namespace },
    data: { greeting: expected.greeting, 'app.json': expected.file },
  })
  await deployDatabases(kube, namespace)
  await expose(kube, namespace, 'echo', {
    selector: { app: 'orders' },
    ports: [{ name: 'udp', port: 53_053, targetPort: 'udp', protocol: 'UDP' }],
  })
  await expose(kube, namespace, 'partner', {
    type: 'ExternalName',
    externalName: `orders.${namespace}.svc.cluster.local`,
    selector: {},
  })
  await deploy(kube, namespace, 'app', {
    script: 'app',
    container: {
      env: [
        { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'app', key: 'greeting' } } },
        { name: 'DB_HOST', value: 'db' },
        { name: 'DB_PORT', value: '5432' },
        { name: 'DB_USER', value: database.user },
        { name: 'DB_NAME', value: database.name },
        { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
        { name: 'CACHE_HOST', value: 'cache' },
        { name: 'CACHE_PORT', value: '6379' },
      ],
    },
    mounts: [{ mountPath: '/etc/app', volume: { configMap: { name: 'app' } } }],
  })
  await expose(kube, namespace, 'app')
}
