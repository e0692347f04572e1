import { beforeEach, describe, expect, test } from 'vitest'
import { podEnvironment } from '../../../../cli/outbound/env/pod-environment.ts'
import { parsePodTarget, selectorText } from '../../../../cli/outbound/env/pod-target.ts'
import { parseEnviron } from '../../../../cli/outbound/env/running-environment.ts'
import { KubeError } from '../../../../src/kube/error.ts'
import type { Deployment, Pod, Secret, Service } from '../../../../src/kube/objects.ts'
import { deployments, pods, secrets, services } from '../../../../src/kube/resources.ts'
import type { ContainerCommand } from '../../../../src/kube/types.ts'
import { FakeKube } from '../../support/fake-kube.ts'

const namespace = 'shop'
const labels = { app: 'orders' }
const secretEnv = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }]

let kube: FakeKube
beforeEach(() => {
  kube = new FakeKube()
  kube.put<Service>(services, {
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { clusterIP: '10.0.0.1', ports: [{ port: 443 }] },
  })
  kube.put<Service>(services, {
    metadata: { name: 'orders', namespace },
    // As it is while somebody intercepts it.
    spec: {
      selector: { ...labels, 'intercept.dev/taken-over': 'true' },
      clusterIP: '10.0.0.2',
      ports: [{ port: 80, targetPort: 'http' }],
    },
  })
  kube.put<Secret>(secrets, {
    metadata: { name: 'db', namespace },
    data: { password: Buffer.from('hünter2').toString('base64') },
  })
})

function putPod(
  name: string,
  more: {
    created?: string
    ready?: boolean
    phase?: 'Running' | 'Pending' | 'Failed'
    spec?: Partial<Pod['spec']>
    annotations?: Record<string, string>
  } = {},
): void {
  const { created = '2026-01-01T00:00:00Z', ready = true, phase = 'Running', spec, annotations = {} } = more
  kube.put<Pod>(pods, {
    metadata: { name, namespace, labels, annotations, creationTimestamp: created },
    spec: { containers: [{ name: 'main', env: secretEnv }], enableServiceLinks: false, ...spec },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'main', ready, restartCount: 0, state: phase === 'Running' ? { running: {} } : {} }],
    },
  })
}

const find = (target: string, container?: string) =>
  podEnvironment(kube, namespace, parsePodTarget(target), { container })

/** The Secrets may not be read. */
function refuse(...plurals: string[]): void {
  kube.before = (verb, type) => {
    if (plurals.includes(type.plural)) {
      throw new KubeError('forbidden', `You may not ${verb} ${type.plural} in namespace shop.`, { fix: 'ask for it' })
    }
  }
}

describe('the pod', () => {
  test('ready before running, the youngest of them, none that has ended', async () => {
    putPod('old', { created: '2026-01-01T00:00:00Z' })
    putPod('young', { created: '2026-01-02T00:00:00Z' })
    putPod('unready', { created: '2026-01-03T00:00:00Z', ready: false })
    putPod('failed', { created: '2026-01-04T00:00:00Z', phase: 'Failed' })
    expect(await find('svc/orders')).toMatchObject({ pod: 'young', container: 'main' })
    expect(await find('pod/old')).toMatchObject({ pod: 'old' })
    expect((await find('orders')).values.get('PASSWORD')).toEqual({ value: 'hünter2', source: 'secret' })
  })

  test("the workload's template where none runs", async () => {
    const env = [...secretEnv, { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }]
    kube.put<Deployment>(deployments, {
      metadata: { name: 'orders', namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'main', env }] } },
      },
    })
    for (const target of ['svc/orders', 'deploy/orders']) {
      const found = await find(target)
      expect(found.pod).toBeUndefined()
      expect(found.values.get('PASSWORD')?.value).toBe('hünter2')
      expect(found.values.get('ORDERS_SERVICE_HOST')?.value).toBe('10.0.0.2')
      expect(found.missing).toMatchObject([{ name: 'IP' }])
    }
  })

  test('neither: it is said', async () => {
    await expect(find('svc/orders')).rejects.toMatchObject({
      code: 'no-pod',
      fix: expect.stringContaining('app=orders'),
    })
    await expect(find('deploy/none')).rejects.toMatchObject({ code: 'not-found' })
    expect(() => parsePodTarget('job/none')).toThrow(expect.objectContaining({ code: 'bad-target' }))
  })
})

describe('the container', () => {
  const containers = [
    { name: 'proxy', ports: [{ name: 'admin', containerPort: 15000 }] },
    { name: 'app', ports: [{ name: 'http', containerPort: 8080 }] },
    { name: 'logs' },
  ]
  const spec = { containers, initContainers: [{ name: 'setup' }] }

  test('that of the annotation, of the target port, the first; or the named one', async () => {
    putPod('plain', { spec })
    expect((await find('svc/orders')).container).toBe('app')
    expect((await find('pod/plain')).container).toBe('proxy')
    expect((await find('svc/orders', 'setup')).container).toBe('setup')
    putPod('plain', { spec, annotations: { 'kubectl.kubernetes.io/default-container': 'logs' } })
    expect((await find('svc/orders')).container).toBe('logs')
    await expect(find('svc/orders', 'none')).rejects.toMatchObject({
      code: 'no-such-container',
      message: expect.stringContaining('proxy, app, logs, setup'),
    })
  })
})

describe('what may not be read', () => {
  const environ = 'PATH=/bin\0PASSWORD=two\nlines=\0NODE_VERSION=24\0EMPTY=\0'
  const envFrom = [{ prefix: 'DB_', secretRef: { name: 'db' } }]

  test('comes from the running container, with what its image sets', async () => {
    putPod('orders-1', { spec: { containers: [{ name: 'main', env: secretEnv, envFrom }] } })
    refuse('secrets')
    const ran: ContainerCommand[] = []
    kube.execCommand = async (_namespace, _pod, command) => {
      ran.push(command)
      return { code: 0, stdout: Buffer.from(`${environ}DB_password=hidden\0`), stderr: '' }
    }
    const { values, missing } = await find('svc/orders')
    expect(ran).toEqual([{ container: 'main', command: ['cat', '/proc/self/environ'] }])
    expect(missing).toEqual([])
    expect(values.get('PASSWORD')).toEqual({ value: 'two\nlines=', source: 'secret' })
    expect(values.get('DB_password')).toEqual({ value: 'hidden', source: 'secret' })
    expect(values.get('NODE_VERSION')).toEqual({ value: '24', source: 'image' })
    expect(values.has('PATH')).toBe(false)
  })

  test('an image without cat has perhaps env', async () => {
    putPod('orders-1')
    refuse('secrets')
    kube.execCommand = async (_namespace, _pod, { command }) => {
      if (command[0] === 'cat') throw new KubeError('exec-failed', 'no such file')
      return { code: 0, stdout: Buffer.from(environ), stderr: '' }
    }
    expect((await find('svc/orders')).values.get('PASSWORD')?.value).toBe('two\nlines=')
  })

  test('is missing where no command may be run, and the rest is there', async () => {
    putPod('orders-1', {
      spec: { containers: [{ name: 'main', env: [...secretEnv, { name: 'A', value: '1' }], envFrom }] },
    })
    refuse('secrets')
    kube.execCommand = async () => {
      throw new KubeError('forbidden', 'You may not get pods/exec in namespace shop.', { fix: 'ask for exec' })
    }
    const { values, missing, notAsked } = await find('svc/orders')
    expect(values.get('A')?.value).toBe('1')
    expect(missing.map(({ name }) => name)).toEqual(['DB_*', 'PASSWORD'])
    expect(missing[1]).toMatchObject({ why: 'You may not get secrets in namespace shop', fix: 'ask for it' })
    expect(notAsked).toEqual({ refused: 'You may not get pods/exec in namespace shop', fix: 'ask for exec' })
  })

  test('nothing is run where nothing is missing', async () => {
    putPod('orders-1')
    expect((await find('svc/orders')).missing).toEqual([])
  })
})

test('an environ has a NUL after each variable', () => {
  expect([...parseEnviron(Buffer.from('A=1\0B=\0C=x=y\nz\0\0bad\0'))]).toEqual([
    ['A', '1'],
    ['B', ''],
    ['C', 'x=y\nz'],
  ])
})

test('selectors as a query has them', () => {
  const matchExpressions = [
    { key: 'a', operator: 'In' as const, values: ['1', '2'] },
    { key: 'b', operator: 'NotIn' as const, values: ['3'] },
    { key: 'c', operator: 'Exists' as const },
    { key: 'd', operator: 'DoesNotExist' as const },
  ]
  expect(selectorText({ matchLabels: { app: 'x' }, matchExpressions })).toBe('app=x,a in (1,2),b notin (3),c,!d')
})
