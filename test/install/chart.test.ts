import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { chartFiles } from '../../cli/install/chart-files.ts'
import { installObjects } from '../../cli/install/objects.ts'
import { type InstallOptions, installDefaults } from '../../cli/install/options.ts'
import type { KubeObject } from '../../src/kube/types.ts'

const chart = 'charts/intercept'
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const bundle = gzipSync('console.log("a stub")')

describe('the chart', () => {
  it.each(Object.entries(chartFiles(version)))('%s is what `npm run chart` writes', (path, content) => {
    expect(readFileSync(join(chart, path), 'utf8')).toBe(content)
  })

  it('has the same defaults as `intercept install`', () => {
    const { namespace, version: _version, ...values } = installDefaults
    expect(namespace).toBe('intercept-system')
    expect(parse(readFileSync(join(chart, 'values.yaml'), 'utf8'))).toEqual(values)
  })
})

const hasHelm = helmRuns()
describe.skipIf(!hasHelm)(hasHelm ? 'helm' : 'helm is not in PATH, so there is nothing to compare with', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'intercept-chart-'))
    cpSync(chart, folder, { recursive: true })
    mkdirSync(join(folder, 'files'), { recursive: true })
    writeFileSync(join(folder, 'files/proxy-pod.js.gz'), bundle)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const cases: Record<string, Partial<InstallOptions>> = {
    'by default': {},
    'with everything on': {
      namespace: 'platform-intercept',
      replicas: 3,
      image: 'registry.example.com/mirror/node:24@sha256:0000',
      imagePullPolicy: 'Always',
      imagePullSecrets: [{ name: 'mirror' }],
      // Helm merges maps with those of values.yaml.
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
      nodeSelector: { 'kubernetes.io/os': 'linux', pool: 'infra' },
      tolerations: [{ key: 'infra', operator: 'Exists' }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      priorityClassName: 'system-cluster-critical',
      labels: { team: 'platform', cost: '42' },
      annotations: { 'example.com/owner': 'platform: "a" team', 'example.com/flag': 'true' },
      networkPolicy: { enabled: true },
      serviceMonitor: { enabled: true },
      wholeServiceIntercepts: false,
      tlsSecrets: true,
      forwardedHeaders: ['x-forwarded', 'via'],
      outbound: { allow: ['10.0.0.0/8', '*:443'], deny: ['10.96.0.1', '[fd00::/8]:22'] },
      gateway: {
        address: 'wss://node.shop.example:{30443+ordinal}',
        service: {
          type: 'NodePort',
          nodePort: 30_443,
          annotations: { 'example.com/flag': 'false', 'example.com/internal': 'true' },
        },
      },
      preview: {
        enabled: true,
        domain: 'preview.shop.example',
        namespace: 'shop',
        service: 'storefront',
        port: 8080,
        host: 'shop.example:8080',
        ingress: {
          enabled: true,
          className: 'nginx',
          annotations: { 'example.com/flag': 'false', 'example.com/body-size': '0' },
          tlsSecretName: 'wildcard',
        },
      },
      logLevel: 'debug',
    },
    'with one replica in some namespaces': { replicas: 1, namespaces: ['team-a', 'team-b'], tlsSecrets: true },
    'with preview hosts behind the default Ingress': {
      namespaces: ['shop'],
      preview: {
        ...installDefaults.preview,
        enabled: true,
        ingress: { enabled: true, className: '', annotations: {}, tlsSecretName: '' },
      },
    },
    'with an address behind an Ingress of its own': {
      gateway: {
        address: 'wss://intercept.shop.example/{pod}',
        service: { type: 'ClusterIP', nodePort: 0, annotations: {} },
      },
    },
    'with a load balancer for the only replica': {
      replicas: 1,
      gateway: {
        address: 'wss://intercept.shop.example:8443',
        service: { type: 'LoadBalancer', nodePort: 0, annotations: { 'example.com/internal': 'true' } },
      },
    },
    'with as little as possible': {
      crd: { create: false },
      admissionPolicy: { create: false },
      access: { subjects: [{ kind: 'ServiceAccount', name: 'ci', namespace: 'ci' }], portForward: false },
    },
  }
  it.each(Object.entries(cases))('template agrees with `intercept install` %s', (_name, options) => {
    const rendered = helmTemplate(folder, options).filter((object) => !object.metadata.annotations?.['helm.sh/hook'])
    expect(byIdentity(rendered)).toEqual(byIdentity(installObjects({ ...options, version }, bundle)))
  })

  it('leaves nothing to chance in hooks: one releases before, three clean up after what the proxy made', () => {
    const hooks = helmTemplate(folder, {})
      .filter((object) => object.metadata.annotations?.['helm.sh/hook'])
      .map(({ kind, metadata }) => `${metadata.annotations?.['helm.sh/hook']} ${kind} ${metadata.name}`)
    expect(hooks.sort()).toEqual([
      'post-delete ConfigMap intercept-ca',
      'post-delete Lease intercept-proxy',
      'post-delete Secret intercept-ca',
      'pre-delete Job intercept-release-all',
    ])
  })

  it('lint finds nothing', () => {
    expect(execFileSync('helm', ['lint', '--strict', folder], { encoding: 'utf8' })).toContain('0 chart(s) failed')
  })

  const refusal = (values: object): string => {
    const file = join(folder, 'wrong.yaml')
    writeFileSync(file, JSON.stringify(values))
    const { status, stderr } = spawnSync('helm', [...template(folder, 'x'), '-f', file], { encoding: 'utf8' })
    expect(status).not.toBe(0)
    return stderr
  }

  it('refuses values that do not exist', () => {
    expect(refusal({ replica: 3 })).toMatch(/replica/)
  })

  it.each([
    ['https://node.example.com', 'wss://'],
    ['wss://node.example.com:{port}', 'Set it to wss://node.example.com:{30443+ordinal}'],
    ['wss://node.example.com:30443', 'leads to one proxy pod, there are 2. Set it to wss://'],
  ])('refuses %s as the address of the gateways, with what to type', (address, message) => {
    expect(refusal({ gateway: { address } })).toContain(message)
  })

  it.each([
    [{ type: 'NodePort' }, 'needs gateway.service.nodePort'],
    [{ type: 'ClusterIP', nodePort: 30_443 }, 'goes with gateway.service.type NodePort or LoadBalancer'],
    [{ nodePort: 30_443 }, 'goes with gateway.service.type NodePort or LoadBalancer'],
    [{ type: 'ExternalName' }, '/gateway/service/type'],
  ])('refuses Services of the gateways like %j', (service, message) => {
    expect(refusal({ gateway: { service } })).toContain(message)
  })
})

function helmTemplate(folder: string, options: Partial<InstallOptions>): KubeObject[] {
  const { namespace = installDefaults.namespace, version: _version, ...values } = options
  const file = join(folder, 'values-of-test.yaml')
  writeFileSync(file, JSON.stringify(values))
  const text = execFileSync('helm', [...template(folder, namespace), '-f', file], { encoding: 'utf8' })
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null)
}

function template(folder: string, namespace: string): string[] {
  return ['template', 'intercept', folder, '--namespace', namespace, '--kube-version', '1.34.0']
}

function byIdentity(objects: readonly KubeObject[]): Record<string, KubeObject> {
  const entries = objects.map((object): [string, KubeObject] => {
    const plain = JSON.parse(JSON.stringify(object)) as KubeObject
    return [`${plain.kind} ${plain.metadata.namespace ?? ''}/${plain.metadata.name}`, sortEnv(plain)]
  })
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The order of a container's variables has no meaning here: none refers to another. */
function sortEnv(object: KubeObject): KubeObject {
  return JSON.parse(JSON.stringify(object), (key, value) =>
    key === 'env' && Array.isArray(value)
      ? [...(value as { name: string }[])].sort((a, b) => (a.name < b.name ? -1 : 1))
      : value,
  ) as KubeObject
}

function helmRuns(): boolean {
  return spawnSync('helm', ['version'], { stdio: 'ignore' }).status === 0
}
