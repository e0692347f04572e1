import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConfigMap, Secret } from '../../src/kube/objects.ts'
import { configMaps, secrets } from '../../src/kube/resources.ts'
import { Caller } from './support/caller.ts'
import { runCli } from './support/cli.ts'
import { startTestCluster, type TestCluster } from './support/cluster.ts'
import { person as personWith } from './support/person.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { deploy, expose } from './support/workload.ts'

let cluster: TestCluster
let namespace: string
let caller: Caller

const password = `it's "50 $" \`really\` — ünï\\code\nand a second line`
const settings = { LEVEL: 'debug', 'with.dot': 'dotted', HOST_NAME: 'inventory', BOTH: 'from settings' }
const more = { BOTH: 'from more', EMPTY: '' }

beforeAll(async () => {
  cluster = await startTestCluster()
  const { kube } = cluster
  namespace = await cluster.createNamespace()
  await Promise.all([
    kube.create<ConfigMap>(configMaps, { metadata: { name: 'settings', namespace }, data: settings }),
    kube.create<ConfigMap>(configMaps, { metadata: { name: 'more', namespace }, data: more }),
    kube.create<Secret>(secrets, {
      metadata: { name: 'database', namespace },
      stringData: { user: 'orders', password },
    }),
    kube.create<Secret>(secrets, { metadata: { name: 'tokens', namespace }, stringData: { API: 'token-of-api' } }),
    expose(kube, namespace, 'orders-db', {
      ports: [
        { name: 'sql', port: 15432, targetPort: 15432 },
        { name: 'stats-udp', port: 19187, targetPort: 19187, protocol: 'UDP' },
      ],
    }),
    // Its port is the container's, so that the embedded cluster can listen on it as it is.
    expose(kube, namespace, 'orders', { ports: [{ name: 'http', port: 18080, targetPort: 'http' }] }),
  ])
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })
  await deploy(kube, namespace, 'orders', {
    script: 'app',
    labels: { tier: 'back' },
    container: {
      resources: { limits: { memory: '256Mi' }, requests: { cpu: '15m' } },
      envFrom: [
        { prefix: 'CFG_', configMapRef: { name: 'settings' } },
        { prefix: 'CFG_', configMapRef: { name: 'more' } },
        { prefix: 'TOKEN_', secretRef: { name: 'tokens' } },
        { configMapRef: { name: 'no-such-map', optional: true } },
      ],
      env: [
        { name: 'PLAIN', value: 'a $ b $(NOBODY) $$(PLAIN)' },
        { name: 'DB_USER', valueFrom: { secretKeyRef: { name: 'database', key: 'user' } } },
        { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } },
        { name: 'DB_NONE', valueFrom: { secretKeyRef: { name: 'database', key: 'none', optional: true } } },
        { name: 'DB_URL', value: 'postgres://$(DB_USER)@$(ORDERS_DB_SERVICE_HOST):$(ORDERS_DB_SERVICE_PORT_SQL)/x' },
        { name: 'CFG_LEVEL', value: '$(CFG_LEVEL)-and-more' },
        { name: 'FROM_MAP', valueFrom: { configMapKeyRef: { name: 'settings', key: 'LEVEL' } } },
        field('NAMESPACE', 'metadata.namespace'),
        field('UID', 'metadata.uid'),
        field('TIER', "metadata.labels['tier']"),
        field('NOTE', "metadata.annotations['none']"),
        field('NODE', 'spec.nodeName'),
        field('ACCOUNT', 'spec.serviceAccountName'),
        field('IP', 'status.podIP'),
        field('IPS', 'status.podIPs'),
        field('NODE_IP', 'status.hostIP'),
        { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } } },
        { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      ],
    },
  })
  caller = await Caller.create(kube, namespace, cluster.driver)
}, 180_000)

afterAll(() => cluster?.stop(), 60_000)

/** What the process in the pod says of itself. */
async function real(): Promise<Record<string, string>> {
  const answer = await caller.get({ ...(await cluster.at(namespace, 'orders', 18080)), path: '/env' })
  return JSON.parse(answer.body) as Record<string, string>
}

async function env(kubeconfig: string, ...args: string[]): Promise<{ values: Record<string, string>; stderr: string }> {
  const { code, stdout, stderr } = await runCli(['env', 'svc/orders', '-n', namespace, ...args], { kubeconfig })
  expect(code, stdout + stderr).toBe(0)
  return { values: JSON.parse(stdout) as Record<string, string>, stderr }
}

/** The embedded cluster's pods are told the address of its API server, which has no Service's port there. */
const isCompared = (name: string): boolean => cluster.driver.kind !== 'embedded' || !name.startsWith('KUBERNETES_')

function expectSame(values: Record<string, string>, actual: Record<string, string>): void {
  const names = Object.keys(values).filter(isCompared)
  expect(Object.fromEntries(names.map((name) => [name, values[name]]))).toEqual(
    Object.fromEntries(names.map((name) => [name, actual[name]])),
  )
}

/** A kubeconfig of a new service account with these rules in the namespace. */
const person = (name: string, rules: object[]): Promise<string> =>
  personWith({ kube: cluster.kube, kubeconfig: cluster.driver.kubeconfig, namespace }, name, { rules })

const reads = { apiGroups: [''], resources: ['services', 'pods', 'configmaps'], verbs: ['get', 'list'] }
const execs = { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] }

test('is what the process in the pod has', async () => {
  const actual = await real()
  const { values, stderr } = await env(cluster.driver.kubeconfig)
  expect(stderr).toBe('')
  expectSame(values, actual)
  expect(values).toMatchObject({
    PLAIN: 'a $ b $(NOBODY) $(PLAIN)',
    DB_PASSWORD: password,
    CFG_LEVEL: 'debug-and-more',
    CFG_BOTH: 'from more',
    CFG_EMPTY: '',
    'CFG_with.dot': 'dotted',
    TOKEN_API: 'token-of-api',
    TIER: 'back',
    NOTE: '',
    ACCOUNT: 'default',
    MEMORY: '256',
    CPU: '15',
    ORDERS_DB_PORT_19187_UDP_PROTO: 'udp',
  })
  expect(values).not.toHaveProperty('DB_NONE')
  expect(values.DB_URL).toMatch(/^postgres:\/\/orders@[\d.]+:15432\/x$/)
  // And the process has no variable of the specification that we do not have.
  for (const name of Object.keys(actual).filter((name) => /^(CFG|TOKEN|DB|ORDERS)_/.test(name))) {
    expect(values).toHaveProperty([name])
  }
})

test('by workload and by pod it is the same', async () => {
  const { values } = await env(cluster.driver.kubeconfig)
  for (const target of ['deploy/orders', `pod/${values.POD_NAME}`]) {
    const { stdout } = await runCli(['env', target, '-n', namespace], { kubeconfig: cluster.driver.kubeconfig })
    expect(JSON.parse(stdout)).toEqual(values)
  }
})

test('a shell and a dotenv reader get the same values; what wins is said', async () => {
  const { values } = await env(cluster.driver.kubeconfig)
  const { kubeconfig } = cluster.driver
  const file = join(temporaryFolder(), '.env')
  writeFileSync(file, "PLAIN='mine'\nDB_USER=also mine\n")
  const args = ['env', 'svc/orders', '-n', namespace, '--env-file', file, '--set', 'DB_USER=mine', '--unset', 'UID']
  const { stdout: shell } = await runCli([...args, '-o', 'shell'], { kubeconfig, format: 'text' })
  const print = 'eval "$SCRIPT"; node -e "process.stdout.write(JSON.stringify(process.env))"'
  const inShell = JSON.parse(
    execFileSync('sh', ['-c', print], { env: { PATH: process.env.PATH, SCRIPT: shell }, encoding: 'utf8' }),
  ) as Record<string, string>
  const { UID: _, 'CFG_with.dot': dotted, ...rest } = values
  expect(inShell).toMatchObject({ ...rest, PLAIN: 'mine', DB_USER: 'mine' })
  expect(inShell).not.toHaveProperty('UID')

  const dotenv = await runCli([...args, '-o', 'dotenv'], { kubeconfig, format: 'text' })
  const { DB_PASSWORD: _password, ...others } = rest
  expect(parseEnv(dotenv.stdout)).toEqual({ ...others, 'CFG_with.dot': dotted, PLAIN: 'mine', DB_USER: 'mine' })
  expect(dotenv.stderr).toContain('DB_PASSWORD is left out')
  expect(dotenv.stdout + dotenv.stderr).not.toContain('really')
})

test('Secrets that the user may not read come from the running pod', async () => {
  const kubeconfig = await person('carol', [reads, execs])
  const { values, stderr } = await env(kubeconfig)
  expect(stderr).toBe('')
  expectSame(values, await real())
  expect(values).toMatchObject({ DB_PASSWORD: password, TOKEN_API: 'token-of-api', PLAIN: 'a $ b $(NOBODY) $(PLAIN)' })
})

test('where that is forbidden too, the missing names are told, and the right; the rest is printed', async () => {
  const kubeconfig = await person('dave', [reads])
  const { values, stderr } = await env(kubeconfig)
  for (const name of ['DB_USER', 'DB_PASSWORD', 'DB_URL', 'TOKEN_API']) expect(values).not.toHaveProperty(name)
  const { CFG_LEVEL, TIER, MEMORY } = values
  expect({ CFG_LEVEL, TIER, MEMORY }).toEqual({ CFG_LEVEL: 'debug-and-more', TIER: 'back', MEMORY: '256' })
  expectSame(values, await real())
  for (const word of ['DB_USER', 'DB_PASSWORD', 'DB_URL', 'TOKEN_*', 'get secrets', 'pods/exec']) {
    expect(stderr).toContain(word)
  }
  for (const secret of ['token-of-api', 'second line']) expect(stderr).not.toContain(secret)
})

test('a container that there is not is told with those that there are', async () => {
  const { code, stdout } = await runCli(['env', 'svc/orders', '-n', namespace, '--container', 'nginx'], {
    kubeconfig: cluster.driver.kubeconfig,
  })
  expect(code).toBe(8)
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'no-such-container', fix: '--container main' } })
})
