import { describe, expect, test } from 'vitest'
import { planFiles } from '../../../../cli/outbound/files/plan.ts'
import type { Container, Pod, Volume, VolumeMount } from '../../../../src/kube/objects.ts'

const environment: Record<string, string> = { POD_NAME: 'orders-1', BAD: '../x' }

function plan(volumes: Volume[], volumeMounts: VolumeMount[], more: { mountPvc?: boolean; container?: object } = {}) {
  const container: Container = { name: 'main', volumeMounts, ...more.container }
  const pod: Pod = { metadata: { name: 'orders-1', namespace: 'shop' }, spec: { containers: [container], volumes } }
  const { mountPvc = false } = more
  return planFiles(pod, container, { namespace: 'shop', mountPvc, lookUp: (name) => environment[name] })
}

const one = (volume: Omit<Volume, 'name'>, more?: Parameters<typeof plan>[2]) =>
  plan([{ name: 'v', ...volume }], [{ name: 'v', mountPath: '/v' }], more)

describe('kinds of volumes', () => {
  test('ConfigMap and Secret', () => {
    const items = [{ key: 'a', path: 'b', mode: 0o400 }]
    expect(one({ configMap: { name: 'settings', items, optional: true, defaultMode: 0o600 } }).mounts).toEqual([
      {
        mountPath: '/v',
        subPath: '',
        readOnly: true,
        volume: {
          name: 'v',
          kind: 'written',
          from: 'ConfigMap shop/settings',
          sources: [{ kind: 'config-map', name: 'settings', items, optional: true, mode: 0o600 }],
        },
      },
    ])
    // No items and none at all are the same.
    for (const given of [{}, { items: [] }]) {
      expect(one({ secret: { secretName: 'tls', ...given } }).mounts[0]?.volume).toEqual({
        name: 'v',
        kind: 'written',
        from: 'Secret shop/tls',
        sources: [{ kind: 'secret', name: 'tls', items: undefined, optional: false, mode: 0o644 }],
      })
    }
  })

  test('projected: each source in order, those of the node told', () => {
    const fieldRef = { fieldPath: 'metadata.labels' }
    const sources = [
      { secret: { name: 's' } },
      { configMap: { name: 'c', optional: true } },
      { downwardAPI: { items: [{ path: 'labels', fieldRef }] } },
      { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 900 } },
      { serviceAccountToken: { path: 'other', audience: '' } },
      { clusterTrustBundle: { path: 'roots.pem' } },
      { podCertificate: {} },
    ]
    expect(one({ projected: { sources, defaultMode: 0o440 } }).mounts[0]?.volume).toMatchObject({
      from: 'projected volume v',
      sources: [
        { kind: 'secret', name: 's', mode: 0o440 },
        { kind: 'config-map', name: 'c', optional: true },
        { kind: 'downward', items: [{ path: 'labels', fieldRef }] },
        { kind: 'token', path: 'token', audience: 'vault', seconds: 900 },
        { kind: 'token', path: 'other', audience: undefined, seconds: 3600 },
        { kind: 'unavailable', path: 'roots.pem', why: expect.stringContaining('cluster trust bundles') },
        { kind: 'unavailable', path: undefined, why: expect.stringContaining('podCertificate') },
      ],
    })
  })

  test('downward API and emptyDir', () => {
    expect(one({ downwardAPI: { items: [{ path: 'a' }] } }).mounts[0]).toMatchObject({
      readOnly: true,
      volume: { kind: 'written', sources: [{ kind: 'downward', mode: 0o644 }] },
    })
    const empty = plan(
      [{ name: 'v', emptyDir: {} }],
      [
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/b', readOnly: true },
      ],
    )
    expect(empty.mounts).toMatchObject([
      { mountPath: '/a', readOnly: false, volume: { kind: 'empty' } },
      { mountPath: '/b', readOnly: true },
    ])
  })

  test('a claim is copied only when asked for', () => {
    const claim = { persistentVolumeClaim: { claimName: 'data' } }
    expect(one(claim)).toEqual({
      mounts: [],
      missing: [
        {
          mountPath: '/v',
          why: 'it is on PersistentVolumeClaim shop/data, which is copied only when asked for',
          fix: '--mount-pvc',
        },
      ],
    })
    expect(one(claim, { mountPvc: true }).mounts).toMatchObject([{ readOnly: true, volume: { kind: 'claim' } }])
  })

  test.each([
    ['hostPath', 'path of the node'],
    ['csi', 'only the node'],
    ['ephemeral', 'lives with one pod'],
    ['image', 'content of an image'],
    ['nfs', 'only the node'],
    ['iscsi', 'kind iscsi'],
  ])('%s is missing, and why', (kind, why) => {
    expect(one({ [kind]: {} })).toEqual({
      mounts: [],
      missing: [{ mountPath: '/v', why: expect.stringContaining(why) }],
    })
  })

  test('a block device, and a mount of nothing', () => {
    const container = { volumeDevices: [{ name: 'disk', devicePath: '/dev/xvda' }] }
    expect(plan([], [{ name: 'none', mountPath: '/v' }], { container }).missing).toMatchObject([
      { mountPath: '/v', why: 'the pod has no volume none' },
      { mountPath: '/dev/xvda', why: 'it is a block device of the node' },
    ])
  })
})

describe('mounts', () => {
  const volumes = [{ name: 'v', emptyDir: {} }]
  const at = (mount: Partial<VolumeMount>) => plan(volumes, [{ name: 'v', mountPath: '/v', ...mount }])

  test('those that contain others come first, whatever the order', () => {
    const mountPaths = ['/a/b/c', '/b', '/a/b', '/a', 'c/', '/a/b-c']
    const { mounts } = plan(
      volumes,
      mountPaths.map((mountPath) => ({ name: 'v', mountPath })),
    )
    expect(mounts.map(({ mountPath }) => mountPath)).toEqual(['/a', '/b', '/c', '/a/b', '/a/b-c', '/a/b/c'])
  })

  test('a sub-path, and one of the environment', () => {
    expect(at({ subPath: 'a//b/' }).mounts).toMatchObject([{ subPath: 'a/b' }])
    expect(at({ subPath: '$(POD_NAME)' }).mounts).toMatchObject([{ subPath: '$(POD_NAME)' }])
    expect(at({ subPathExpr: 'logs/$(POD_NAME)/$$(X)' }).mounts).toMatchObject([{ subPath: 'logs/orders-1/$(X)' }])
  })

  test.each<[Partial<VolumeMount>, string]>([
    [{ subPath: '../x' }, 'its subPath "../x" leaves the volume'],
    [{ subPath: '/x' }, 'its subPath "/x" is absolute'],
    [{ subPathExpr: '$(BAD)' }, 'its subPath "../x" leaves the volume'],
    [{ subPathExpr: '$(NONE)/$(POD_NAME)/$(NO)' }, 'its subPathExpr needs NONE, NO, which is not known here'],
    [{ mountPath: '/' }, 'a laptop has a root of its own'],
  ])('%j is refused', (mount, why) => {
    expect(at(mount)).toEqual({ mounts: [], missing: [{ mountPath: mount.mountPath ?? '/v', why }] })
  })
})
