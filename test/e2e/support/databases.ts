import type { Container, PodSpec, Secret, StatefulSet } from '../../../src/kube/objects.ts'
import { secrets, statefulSets } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { until } from './until.ts'
import { expose } from './workload.ts'

/** The login of PostgreSQL. Its password is in key `password` of Secret `db`. */
export const database = { user: 'app', name: 'postgres', password: "it's a s3cret" } as const

/** The image's user, as which its programs run without root. */
const users = { postgres: 70, redis: 999 }

/**
 * PostgreSQL as a StatefulSet `db` with its headless Service, which asks for the password; Redis as `cache`. Of stock
 * images, as an ordinary user, with nothing that outlives a pod. Waits until both answer.
 */
export async function deployDatabases(kube: Kube, namespace: string): Promise<void> {
  await kube.create<Secret>(secrets, {
    metadata: { name: 'db', namespace },
    stringData: { password: database.password },
  })
  const initialize = [
    `initdb --no-locale -E UTF8 -A trust -U ${database.user} --pwfile /run/db/password /data/db >/dev/null`,
    'echo "host all all all password" >>/data/db/pg_hba.conf',
    "exec postgres -D /data/db -c 'listen_addresses=*' -c unix_socket_directories=",
  ]
  await Promise.all([
    deployOne(kube, namespace, 'db', {
      image: 'postgres:15-alpine',
      user: users.postgres,
      command: ['sh', '-c', initialize.join(' && ')],
      port: { name: 'sql', port: 5432 },
      secret: { name: 'db', mountPath: '/run/db' },
      headless: true,
    }),
    deployOne(kube, namespace, 'cache', {
      image: 'redis:7-alpine',
      user: users.redis,
      command: ['redis-server', '--save', '', '--protected-mode', 'no'],
      port: { name: 'redis', port: 6379 },
      headless: false,
    }),
  ])
}

interface Database {
  readonly image: string
  readonly user: number
  readonly command: string[]
  readonly port: { readonly name: string; readonly port: number }
  readonly secret?: { readonly name: string; readonly mountPath: string }
  readonly headless: boolean
}

async function deployOne(kube: Kube, namespace: string, name: string, of: Database): Promise<void> {
  const { port, secret } = of
  const container: Container & { imagePullPolicy: string; workingDir: string; readinessProbe: object } = {
    name: 'main',
    image: of.image,
    imagePullPolicy: 'IfNotPresent',
    command: of.command,
    workingDir: '/data',
    ports: [{ name: port.name, containerPort: port.port }],
    readinessProbe: { tcpSocket: { port: port.name }, periodSeconds: 1 },
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      ...(secret ? [{ name: 'secret', mountPath: secret.mountPath, readOnly: true }] : []),
    ],
  }
  const { user } = of
  const spec: PodSpec & { securityContext: object } = {
    securityContext: { runAsNonRoot: true, runAsUser: user, runAsGroup: user, fsGroup: user },
    terminationGracePeriodSeconds: 5,
    enableServiceLinks: false,
    containers: [container],
    volumes: [
      { name: 'data', emptyDir: {} },
      ...(secret ? [{ name: 'secret', secret: { secretName: secret.name } }] : []),
    ],
  }
  await expose(kube, namespace, name, {
    ...(of.headless ? { clusterIP: 'None' } : {}),
    ports: [{ ...port, targetPort: port.name, protocol: 'TCP' }],
  })
  const labels = { app: name }
  await kube.create<StatefulSet>(statefulSets, {
    metadata: { name, namespace },
    spec: {
      ...{ serviceName: name },
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
    },
  })
  await until(`${name} ready`, async () => {
    const found = await kube.get<StatefulSet>(statefulSets, namespace, name)
    return found.status?.readyReplicas === 1
  })
}
