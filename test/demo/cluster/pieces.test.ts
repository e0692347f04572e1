import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readRequest } from '../../../cli/demo/cluster/api/request-info.ts'
import { selfSignedCertificate } from '../../../cli/demo/cluster/certificates.ts'
import { expand } from '../../../cli/demo/cluster/kubelet/environment.ts'
import { Mounts } from '../../../cli/demo/cluster/kubelet/mounts.ts'
import { Balancer } from '../../../cli/demo/cluster/network/balancer.ts'
import { endpointsOf } from '../../../cli/demo/cluster/network/service-endpoints.ts'
import { decodeProtobuf } from '../../../cli/demo/cluster/protobuf/decode.ts'
import { age } from '../../../cli/demo/cluster/resources/cells.ts'
import type { KubeObject } from '../../../src/kube/types.ts'

describe('readRequest', () => {
  test.each([
    [
      'GET',
      '/api/v1/namespaces/n/pods?watch=true',
      { verb: 'watch', group: '', plural: 'pods', namespace: 'n', name: undefined },
    ],
    [
      'GET',
      '/api/v1/namespaces/n/pods/p/proxy/a%2Fb//c?x=1',
      { verb: 'get', name: 'p', subresource: 'proxy', rest: '/a%2Fb//c' },
    ],
    [
      'GET',
      '/api/v1/namespaces/n/pods/https:p:80/proxy',
      { name: 'https:p:80', subresource: 'proxy', rest: undefined },
    ],
    ['GET', '/api/v1/namespaces/n', { verb: 'get', plural: 'namespaces', name: 'n', namespace: 'n' }],
    [
      'PUT',
      '/api/v1/namespaces/n/finalize',
      { verb: 'update', plural: 'namespaces', name: 'n', subresource: 'finalize' },
    ],
    [
      'DELETE',
      '/apis/apps/v1/namespaces/n/deployments',
      { verb: 'deletecollection', group: 'apps', plural: 'deployments' },
    ],
    [
      'PATCH',
      '/apis/test.dev/v1/things/t/status',
      { verb: 'patch', group: 'test.dev', namespace: undefined, subresource: 'status' },
    ],
    ['POST', '/api/v1/nodes', { verb: 'create', plural: 'nodes' }],
  ])('%s %s', (method, url, expected) => {
    const { verb, resource } = readRequest(method, url)
    expect({ verb, ...resource }).toMatchObject(expected)
  })

  test.each(['/version', '/healthz', '/api', '/apis/apps', '/apis/apps/v1'])('%s is no resource', (path) => {
    expect(readRequest('GET', path).resource).toBeUndefined()
  })
})

test('the certificate is one that TLS clients accept for its names', () => {
  const { cert } = selfSignedCertificate(['localhost', 'kubernetes.default.svc'], ['127.0.0.1'])
  const certificate = new X509Certificate(cert)
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc')
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(certificate.ca).toBe(true)
})

test('mounted paths are found in commands, and only whole ones', () => {
  const container = {
    name: 'c',
    image: 'i',
    volumeMounts: [
      { name: 'a', mountPath: '/app' },
      { name: 't', mountPath: '/tmp/' },
      { name: 'b', mountPath: '/app/data', subPath: 'sub' },
    ],
  }
  const mounts = new Mounts(
    container,
    new Map([
      ['a', '/tmp/x/a'],
      ['b', '/tmp/x/b'],
      ['t', '/tmp/x/t'],
    ]),
  )
  expect(mounts.rewrite('/app/main.js --data=/app/data/1 /application http://h/app "/tmp"')).toBe(
    '/tmp/x/a/main.js --data=/tmp/x/b/sub/1 /application http://h/app "/tmp/x/t"',
  )
  expect(mounts.at('/app/data')).toBe('/tmp/x/b/sub')
})

test('variables are expanded as the kubelet does', () => {
  const variables = { A: '1', B: '2' }
  expect(expand('$(A)-$(B)-$(C)-$$(A)-$A', variables)).toBe('1-2-$(C)-$(A)-$A')
})

describe('endpoints of a Service', () => {
  const slice = (port: number | null, ...endpoints: [string, object][]) =>
    ({
      addressType: 'IPv4',
      ports: port === null ? null : [{ name: 'http', port, protocol: 'TCP' }],
      endpoints: endpoints.map(([address, conditions]) => ({ addresses: [address], conditions })),
    }) as unknown as KubeObject

  test('the union of all slices, once each, ready ones', () => {
    const slices = [
      slice(80, ['1.1.1.1', { ready: true }], ['1.1.1.2', { ready: false }]),
      slice(81, ['1.1.1.1', {}]),
      slice(80, ['1.1.1.1', { ready: true }]),
      slice(null),
    ]
    expect(endpointsOf(slices, 'http', 'TCP')).toEqual([
      { host: '1.1.1.1', port: 80 },
      { host: '1.1.1.1', port: 81 },
    ])
    expect(endpointsOf(slices, 'http', 'UDP')).toEqual([])
    expect(endpointsOf(slices, 'other', 'TCP')).toEqual([])
  })

  test('none ready: those that serve while they terminate', () => {
    const slices = [
      slice(
        80,
        ['1.1.1.1', { ready: false, serving: true, terminating: true }],
        ['1.1.1.2', { ready: false, serving: false, terminating: true }],
      ),
    ]
    expect(endpointsOf(slices, 'http', 'TCP')).toEqual([{ host: '1.1.1.1', port: 80 }])
  })
})

test('ClientIP affinity keeps an endpoint while it is one', () => {
  const balancer = new Balancer()
  balancer.affinityMs = 60_000
  balancer.endpoints = Array.from({ length: 20 }, (_, port) => ({ host: 'h', port }))
  const first = balancer.pick('1.2.3.4')
  for (let round = 0; round < 20; round += 1) expect(balancer.pick('1.2.3.4')).toBe(first)
  balancer.endpoints = balancer.endpoints.filter((endpoint) => endpoint !== first)
  expect(balancer.pick('1.2.3.4')).not.toBe(first)
  balancer.endpoints = []
  expect(balancer.pick('1.2.3.4')).toBeUndefined()
})

test('ages are shown as kubectl shows them', () => {
  const now = Date.parse('2026-01-10T00:00:00Z')
  const seconds = {
    '5s': 5,
    '119s': 119,
    '2m': 120,
    '2m5s': 125,
    '15m': 900,
    '3h': 10_800,
    '3h5m': 11_100,
    '25h': 90_000,
    '2d': 172_800,
  }
  for (const [text, past] of Object.entries(seconds))
    expect(age(new Date(now - past * 1_000).toISOString(), now)).toBe(text)
})

describe('protobuf', () => {
  const field = (number: number, value: string | Buffer | number): Buffer => {
    if (typeof value === 'number') return Buffer.from([number << 3, value])
    const bytes = Buffer.from(value)
    return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
  }
  const wrap = (apiVersion: string, kind: string, ...fields: Buffer[]) => {
    const type = Buffer.concat([field(1, apiVersion), field(2, kind)])
    return Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, Buffer.concat(fields))])
  }

  test('a ConfigMap and a Service', () => {
    const metadata = field(
      1,
      Buffer.concat([field(1, 'name'), field(2, ''), field(11, Buffer.concat([field(1, 'k'), field(2, 'v')]))]),
    )
    const data = field(2, Buffer.concat([field(1, 'a'), field(2, 'b')]))
    expect(decodeProtobuf(wrap('v1', 'ConfigMap', metadata, data))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'name', labels: { k: 'v' } },
      data: { a: 'b' },
    })
    const port = field(
      1,
      Buffer.concat([field(1, 'http'), field(3, 80), field(4, Buffer.concat([field(1, 1), field(3, 'web')]))]),
    )
    expect(decodeProtobuf(wrap('v1', 'Service', field(2, port)))).toMatchObject({
      spec: { ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
    })
  })

  test('what is cut off, or no protobuf, or of another kind, is refused', () => {
    const whole = wrap('v1', 'ConfigMap', field(1, field(1, 'name')))
    for (const bytes of [whole.subarray(0, -2), Buffer.from('nope'), wrap('v1', 'Gadget')]) {
      expect(() => decodeProtobuf(bytes)).toThrow('unknown format')
    }
  })
})
