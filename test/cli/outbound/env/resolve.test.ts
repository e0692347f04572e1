import { describe, expect, test } from 'vitest'
import { expand } from '../../../../cli/outbound/env/expansion.ts'
import {
  type EnvironmentInputs,
  type KeyedText,
  type Known,
  resolveEnvironment,
} from '../../../../cli/outbound/env/resolve.ts'
import type { Container, Pod, Service } from '../../../../src/kube/objects.ts'

test.each([
  ['$(A)', '1'],
  ['$(A)$(B)', '12'],
  ['$(C)', '$(C)'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$1'],
  ['$$$$(A)', '$$(A)'],
  ['$A $[A]', '$A $[A]'],
  ['$', '$'],
  ['a$$', 'a$'],
  ['$(A', '$(A'],
  ['$()', '$()'],
  ['$($(A))', '$($(A))'],
  ['$(A) and $(A', '1 and $(A'],
  ['x$é$(A)', 'x$é1'],
])('%s is %s', (text, expected) => {
  const values: Record<string, string> = { A: '1', B: '2' }
  expect(expand(text, (name) => values[name])).toBe(expected)
})

interface Given {
  container?: Partial<Container>
  spec?: Partial<Pod['spec']>
  configMaps?: Record<string, KeyedText>
  secrets?: Record<string, KeyedText | 'refused'>
  services?: Service[]
  apiServer?: Known<Service>
  node?: Record<string, string>
  isTemplate?: boolean
}

const refused = { refused: 'You may not get secrets in namespace shop', fix: 'ask' } as const

const kubernetes: Service = {
  metadata: { name: 'kubernetes', namespace: 'default' },
  spec: { clusterIP: '10.0.0.1', ports: [{ name: 'https', port: 443 }] },
}

function resolve(given: Given) {
  const container: Container = { name: 'main', ...given.container }
  const pod: Pod = {
    metadata: {
      name: given.isTemplate ? '' : 'orders-1',
      namespace: 'shop',
      labels: { app: 'orders', 'example.com/tier': 'back' },
      annotations: { note: 'a "note"' },
      ...(given.isTemplate ? {} : { uid: 'u-1' }),
    },
    spec: { containers: [container], enableServiceLinks: false, nodeName: 'n1', ...given.spec },
    ...(given.isTemplate
      ? {}
      : {
          status: {
            podIP: '10.1.0.5',
            podIPs: [{ ip: '10.1.0.5' }, { ip: 'fd00::5' }],
            hostIP: '192.168.0.2',
            hostIPs: [{ ip: '192.168.0.2' }, { ip: 'fd01::2' }],
          },
        }),
  }
  const look =
    (from: Record<string, KeyedText | 'refused'> | undefined) =>
    (name: string): Known<KeyedText> => {
      const found = from?.[name]
      return found === 'refused' ? refused : found === undefined ? { absent: true } : { found }
    }
  const inputs: EnvironmentInputs = {
    pod,
    container,
    services: { found: given.services ?? [] },
    apiServer: given.apiServer ?? { found: kubernetes },
    configMap: look(given.configMaps),
    secret: look(given.secrets),
    allocatable: given.node ? { found: given.node } : { refused: 'You may not get nodes' },
  }
  const resolved = resolveEnvironment(inputs)
  const own = [...resolved.values].filter(([name]) => !name.startsWith('KUBERNETES_'))
  return {
    ...resolved,
    text: Object.fromEntries(own.map(([name, { value }]) => [name, value])),
    sources: Object.fromEntries(own.map(([name, { source }]) => [name, source])),
    lost: resolved.missing.map(({ name }) => name),
  }
}

describe('envFrom', () => {
  const configMaps = { one: { A: '1', B: '1', '1st': 'x', 'with.dot': 'y' }, two: { B: '2' } }

  test('the later one wins, no name is skipped, and env wins over all', () => {
    const { text, sources } = resolve({
      container: {
        envFrom: [{ configMapRef: { name: 'one' } }, { configMapRef: { name: 'two' } }, { secretRef: { name: 's' } }],
        env: [{ name: 'A', value: 'mine' }],
      },
      configMaps,
      secrets: { s: { C: '3' } },
    })
    expect(text).toEqual({ A: 'mine', B: '2', C: '3', '1st': 'x', 'with.dot': 'y' })
    expect(sources).toMatchObject({ A: 'value', B: 'config-map', C: 'secret' })
  })

  test('prefix', () => {
    const { text } = resolve({ container: { envFrom: [{ prefix: 'P_', configMapRef: { name: 'two' } }] }, configMaps })
    expect(text).toEqual({ P_B: '2' })
  })

  test('an object that there is not: optional or missing', () => {
    const optional = resolve({ container: { envFrom: [{ configMapRef: { name: 'none', optional: true } }] } })
    expect(optional.missing).toEqual([])
    const needed = resolve({ container: { envFrom: [{ prefix: 'P_', configMapRef: { name: 'none' } }] } })
    expect(needed.missing).toMatchObject([{ name: 'P_*', whole: true, why: 'ConfigMap shop/none does not exist' }])
  })

  test('a Secret that may not be read makes uncertain what it may replace', () => {
    const { uncertain, lost, text } = resolve({
      container: {
        envFrom: [{ configMapRef: { name: 'one' } }, { prefix: 'B', secretRef: { name: 's' } }],
        env: [
          { name: 'USES', value: '$(B) $(A)' },
          { name: 'UNKNOWN', value: '$(BX)' },
          { name: 'PLAIN', value: '$(X)' },
        ],
      },
      configMaps,
      secrets: { s: 'refused' },
    })
    expect([...uncertain].sort()).toEqual(['B', 'USES'])
    expect(lost).toEqual(['B*', 'UNKNOWN'])
    expect(text.PLAIN).toBe('$(X)')
  })
})

describe('env', () => {
  test('is read in order; only what is written there is expanded', () => {
    const { text } = resolve({
      container: {
        env: [
          { name: 'LATE', value: '$(B)' },
          { name: 'B', valueFrom: { configMapKeyRef: { name: 'm', key: 'b' } } },
          { name: 'C', value: '$(B)!' },
          { name: 'C', value: '$(C)!' },
          { name: 'EMPTY' },
        ],
      },
      configMaps: { m: { b: '$(LATE)' } },
    })
    expect(text).toEqual({ LATE: '$(B)', B: '$(LATE)', C: '$(LATE)!!', EMPTY: '' })
  })

  test('keys: optional ones leave what was there', () => {
    const from = (name: string, key: string, optional: boolean) => ({ configMapKeyRef: { name, key, optional } })
    const { text, missing } = resolve({
      container: {
        envFrom: [{ configMapRef: { name: 'm' } }],
        env: [
          { name: 'A', valueFrom: from('m', 'none', true) },
          { name: 'X', valueFrom: from('none', 'a', true) },
          { name: 'Y', valueFrom: from('m', 'none', false) },
          { name: 'Z', valueFrom: from('m', 'constructor', false) },
        ],
      },
      configMaps: { m: { A: 'was there' } },
    })
    expect(text).toEqual({ A: 'was there' })
    expect(missing).toMatchObject([{ name: 'Y', why: 'ConfigMap shop/m has no key none' }, { name: 'Z' }])
  })

  test('what quotes a Secret is secret; what quotes a missing value is missing', () => {
    const secretKeyRef = (name: string) => ({ valueFrom: { secretKeyRef: { name, key: 'p' } } })
    const { sources, missing } = resolve({
      container: {
        env: [
          { name: 'P', ...secretKeyRef('open') },
          { name: 'URL', value: 'db://u:$(P)@db' },
          { name: 'Q', ...secretKeyRef('closed') },
          { name: 'URL2', value: 'db://u:$(Q)@db' },
          { name: 'URL3', value: '$(URL2)?x' },
        ],
      },
      secrets: { open: { p: 'hidden' }, closed: 'refused' },
    })
    expect(sources).toEqual({ P: 'secret', URL: 'secret' })
    expect(missing).toMatchObject([
      { name: 'Q', source: 'secret', fix: 'ask' },
      { name: 'URL2', source: 'secret', fix: 'ask' },
      { name: 'URL3', why: `it quotes a value that is missing: ${refused.refused}` },
    ])
  })
})

describe('fields', () => {
  const field = (fieldPath: string, given: Given = {}) =>
    resolve({ ...given, container: { env: [{ name: 'F', valueFrom: { fieldRef: { fieldPath } } }] } })

  test.each([
    ['metadata.name', 'orders-1'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'u-1'],
    ["metadata.labels['app']", 'orders'],
    ["metadata.labels['example.com/tier']", 'back'],
    ["metadata.labels['none']", ''],
    ["metadata.annotations['note']", 'a "note"'],
    ['metadata.labels', 'app="orders"\nexample.com/tier="back"'],
    ['spec.nodeName', 'n1'],
    ['spec.serviceAccountName', 'default'],
    ['status.podIP', '10.1.0.5'],
    ['status.podIPs', '10.1.0.5,fd00::5'],
    ['status.hostIP', '192.168.0.2'],
    ['status.hostIPs', '192.168.0.2,fd01::2'],
  ])('%s', (path, expected) => {
    expect(field(path).text.F).toBe(expected)
  })

  test.each(['metadata.name', 'metadata.uid', 'status.podIP', 'status.hostIPs'])('%s needs a pod', (path) => {
    expect(field(path, { isTemplate: true }).lost).toEqual(['F'])
  })
})

describe('resources', () => {
  const resources = { limits: { cpu: '1500m', memory: '64Mi' }, requests: { cpu: '250m' } }
  const node = { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100G' }

  test.each([
    ['limits.cpu', undefined, '2'],
    ['limits.cpu', '1m', '1500'],
    ['limits.memory', undefined, '67108864'],
    ['limits.memory', '1Mi', '64'],
    ['limits.memory', '1M', '68'],
    ['limits.memory', '0', '67108864'],
    ['requests.cpu', '1m', '250'],
    ['requests.cpu', undefined, '1'],
    ['requests.memory', '1Mi', '64'],
    ['requests.ephemeral-storage', undefined, '0'],
    ['limits.ephemeral-storage', '1G', '100'],
    ['limits.hugepages-2Mi', undefined, '0'],
  ])('%s by %s is %s', (resource, divisor, expected) => {
    const resourceFieldRef = { resource, ...(divisor ? { divisor } : {}) }
    const { text } = resolve({ container: { resources, env: [{ name: 'R', valueFrom: { resourceFieldRef } }] }, node })
    expect(text.R).toBe(expected)
  })

  const limit = { env: [{ name: 'R', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }] }

  test("without a limit it is the pod's, else the node's, else missing", () => {
    expect(resolve({ container: limit, node }).text.R).toBe('4')
    expect(resolve({ container: { ...limit, resources: { limits: { cpu: '0' } } }, node }).text.R).toBe('4')
    expect(resolve({ container: limit, node, spec: { resources: { limits: { cpu: '3' } } } }).text.R).toBe('3')
    expect(resolve({ container: limit }).missing).toMatchObject([{ name: 'R', why: expect.stringContaining('nodes') }])
  })

  test('of another container', () => {
    const resourceFieldRef = { resource: 'limits.cpu', containerName: 'sidecar' }
    const container = { name: 'main', env: [{ name: 'R', valueFrom: { resourceFieldRef } }] }
    const spec = { containers: [container, { name: 'sidecar', resources }] }
    expect(resolve({ container, spec, node }).text.R).toBe('2')
  })
})

describe('service links', () => {
  const services: Service[] = [
    {
      metadata: { name: 'my-db', namespace: 'shop' },
      spec: {
        clusterIP: '10.0.0.9',
        ports: [
          { name: 'sql-main', port: 5432 },
          { name: 'stats', port: 9187, protocol: 'UDP' },
        ],
      },
    },
    { metadata: { name: 'headless', namespace: 'shop' }, spec: { clusterIP: 'None', ports: [{ port: 80 }] } },
    { metadata: { name: 'elsewhere', namespace: 'shop' }, spec: { type: 'ExternalName', externalName: 'x.example' } },
    { metadata: { name: 'six', namespace: 'shop' }, spec: { clusterIP: 'fd00::9', ports: [{ port: 80 }] } },
  ]

  test('host, ports by name, Docker links; IPv6 in brackets', () => {
    expect(resolve({ services, spec: { enableServiceLinks: true } }).text).toEqual({
      MY_DB_SERVICE_HOST: '10.0.0.9',
      MY_DB_SERVICE_PORT: '5432',
      MY_DB_SERVICE_PORT_SQL_MAIN: '5432',
      MY_DB_SERVICE_PORT_STATS: '9187',
      MY_DB_PORT: 'tcp://10.0.0.9:5432',
      MY_DB_PORT_5432_TCP: 'tcp://10.0.0.9:5432',
      MY_DB_PORT_5432_TCP_PROTO: 'tcp',
      MY_DB_PORT_5432_TCP_PORT: '5432',
      MY_DB_PORT_5432_TCP_ADDR: '10.0.0.9',
      MY_DB_PORT_9187_UDP: 'udp://10.0.0.9:9187',
      MY_DB_PORT_9187_UDP_PROTO: 'udp',
      MY_DB_PORT_9187_UDP_PORT: '9187',
      MY_DB_PORT_9187_UDP_ADDR: '10.0.0.9',
      SIX_SERVICE_HOST: 'fd00::9',
      SIX_SERVICE_PORT: '80',
      SIX_PORT: 'tcp://[fd00::9]:80',
      SIX_PORT_80_TCP: 'tcp://[fd00::9]:80',
      SIX_PORT_80_TCP_PROTO: 'tcp',
      SIX_PORT_80_TCP_PORT: '80',
      SIX_PORT_80_TCP_ADDR: 'fd00::9',
    })
  })

  test('off: only the API server is told; env may quote links, and wins over them', () => {
    const off = resolve({ services })
    expect(off.text).toEqual({})
    expect(off.values.get('KUBERNETES_SERVICE_HOST')?.value).toBe('10.0.0.1')
    const env = [
      { name: 'URL', value: 'db://$(MY_DB_SERVICE_HOST)' },
      { name: 'MY_DB_SERVICE_PORT', value: 'mine' },
    ]
    const { text } = resolve({ services, container: { env }, spec: { enableServiceLinks: true } })
    expect(text).toMatchObject({ URL: 'db://10.0.0.9', MY_DB_SERVICE_PORT: 'mine' })
  })

  test('where the Service of the API server may not be read', () => {
    const { missing } = resolve({ apiServer: { refused: 'You may not get services in namespace default' } })
    expect(missing).toMatchObject([{ name: 'KUBERNETES_*', whole: true }])
  })
})
