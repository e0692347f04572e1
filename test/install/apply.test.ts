import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applyInstallation } from '../../cli/install/apply.ts'
import { installObjects } from '../../cli/install/objects.ts'
import { installDefaults } from '../../cli/install/options.ts'
import type { InstallEvent } from '../../cli/install/progress.ts'
import { typeOf } from '../../cli/install/type-of.ts'
import { uninstall } from '../../cli/install/uninstall.ts'
import { pathOf } from '../../src/kube/paths.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { clientOf } from '../kube/client-of.ts'
import { FakeApi } from '../kube/fake-api.ts'
import { ObjectApi } from './object-api.ts'

const bundle = Buffer.from('bundle')
const statefulSet = '/apis/apps/v1/namespaces/intercept-system/statefulsets/intercept-proxy'
const namespace = '/api/v1/namespaces/intercept-system'

let api: FakeApi
let cluster: ObjectApi
let seen: InstallEvent[]
const progress = (event: InstallEvent): void => void seen.push(event)

beforeEach(async () => {
  api = await new FakeApi().start()
  cluster = new ObjectApi()
  cluster.react = settle
  api.handler = cluster.handle
  seen = []
})
afterEach(() => api.stop())

/** CRDs are established, pods become ready. */
function settle(object: KubeObject & { status?: object; spec?: { replicas?: number } }): void {
  if (object.kind === 'CustomResourceDefinition')
    object.status = { conditions: [{ type: 'Established', status: 'True' }] }
  if (object.kind !== 'StatefulSet') return
  const replicas = object.spec?.replicas ?? 0
  object.status = { observedGeneration: 1, replicas, readyReplicas: replicas, updatedReplicas: replicas }
}

const kube = () => clientOf(api.url)
const applied = () =>
  seen.flatMap((event) => (event.event === 'applied' ? [`${event.change} ${event.object.kind}`] : []))
const deleted = () => seen.flatMap((event) => (event.event === 'deleted' ? [event.object.kind] : []))

describe('intercept install', () => {
  it('makes the namespace, then the CRDs, then the rest, and waits for the pods', async () => {
    await applyInstallation(kube(), {}, bundle, { progress })
    expect(applied().slice(0, 4)).toEqual([
      'created Namespace',
      'created CustomResourceDefinition',
      'created CustomResourceDefinition',
      'created ValidatingAdmissionPolicy',
    ])
    expect(applied().at(-1)).toBe('created StatefulSet')
    expect(seen.at(-1)).toEqual({ event: 'rollout', ready: 2, wanted: 2 })
    for (const object of installObjects({}, bundle)) {
      const { name, namespace: place } = object.metadata
      expect(cluster.objects.has(pathOf(typeOf(object), place, name)), `${object.kind} ${name}`).toBe(true)
    }
  })

  it('changes what differs and says what did not', async () => {
    cluster.put(namespace, { metadata: { name: 'intercept-system' } })
    await applyInstallation(kube(), {}, bundle, { progress, wait: false })
    expect(applied()[0]).toBe('unchanged Namespace')
  })

  it('takes away the Services of replicas and addresses that there are no longer', async () => {
    const service = (name: string) => cluster.objects.has(`/api/v1/namespaces/intercept-system/services/${name}`)
    const gateway = {
      address: 'wss://node.example.com:{30443+ordinal}',
      service: { type: 'NodePort' as const, nodePort: 30_443, annotations: {} },
    }
    await applyInstallation(kube(), { replicas: 12, gateway }, bundle, { progress })
    expect([service('intercept-gateway-0'), service('intercept-gateway-11')]).toEqual([true, true])
    await applyInstallation(kube(), { replicas: 1, gateway }, bundle, { progress })
    expect([service('intercept-gateway-0'), service('intercept-gateway-11')]).toEqual([true, false])
    await applyInstallation(kube(), {}, bundle, { progress })
    expect([service('intercept-gateway-0'), service('intercept-gateway')]).toEqual([false, true])
  })

  it('takes away rights that the new options no longer give', async () => {
    const clusterRole = '/apis/rbac.authorization.k8s.io/v1/clusterroles/intercept-proxy'
    const role = '/apis/rbac.authorization.k8s.io/v1/namespaces/team-a/roles/intercept-proxy'
    const { preview } = installDefaults
    const previewing = { ...preview, enabled: true, ingress: { ...preview.ingress, enabled: true } }
    await applyInstallation(kube(), { networkPolicy: { enabled: true }, preview: previewing }, bundle, { progress })
    expect(cluster.objects.has(clusterRole)).toBe(true)
    await applyInstallation(kube(), { namespaces: ['team-a'] }, bundle, { progress })
    expect(deleted().sort()).toEqual(['ClusterRole', 'ClusterRoleBinding', 'Ingress', 'NetworkPolicy', 'Service'])
    expect([cluster.objects.has(clusterRole), cluster.objects.has(role)]).toEqual([false, true])
    await applyInstallation(kube(), { crd: { create: false } }, bundle, { progress })
    expect([cluster.objects.has(clusterRole), cluster.objects.has(role)]).toEqual([true, false])
    expect(deleted()).not.toContain('CustomResourceDefinition')
  })

  it('tells why the pods do not come, and gives up', async () => {
    cluster.react = (object) => {
      if (object.kind !== 'StatefulSet') settle(object)
    }
    cluster.put('/api/v1/namespaces/intercept-system/pods/intercept-proxy-0', {
      metadata: { name: 'intercept-proxy-0', namespace: 'intercept-system' },
      status: {
        containerStatuses: [
          { name: 'proxy', state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } },
        ],
      },
    } as KubeObject)
    await expect(applyInstallation(kube(), {}, bundle, { progress, timeoutMs: 150 })).rejects.toMatchObject({
      code: 'install-timeout',
      message: 'Gave up waiting: 0 of 2 proxy pods are ready: intercept-proxy-0: ErrImagePull: no such image',
      fix: expect.stringContaining('--image'),
    })
  })

  it('changes nothing in a dry run', async () => {
    await applyInstallation(kube(), {}, bundle, { progress, dryRun: true })
    expect(cluster.objects.size).toBe(0)
  })

  it.each([
    [
      'Helm',
      { 'app.kubernetes.io/managed-by': 'Helm' },
      'intercept-system',
      'installed-by-helm',
      'helm upgrade intercept CHART -n intercept-system',
    ],
    ['another namespace', {}, 'platform', 'installed-elsewhere', 'intercept install --system-namespace platform'],
  ])('leaves an installation by %s alone', async (_who, labels, where, code, fix) => {
    cluster.put(`/apis/apps/v1/namespaces/${where}/statefulsets/intercept-proxy`, {
      metadata: { name: 'intercept-proxy', namespace: where, labels },
    })
    await expect(applyInstallation(kube(), {}, bundle, { progress })).rejects.toMatchObject({ code, fix })
    expect(cluster.changes).toEqual([])
  })
})

describe('intercept uninstall', () => {
  it('leaves nothing, and deletes in the order that loses nothing', async () => {
    await applyInstallation(kube(), { networkPolicy: { enabled: true } }, bundle, { progress })
    cluster.put('/apis/intercept.dev/v1alpha1/namespaces/shop/intercepts/orders-ann', {
      metadata: { name: 'orders-ann', namespace: 'shop' },
    })
    cluster.put('/apis/intercept.dev/v1alpha1/namespaces/shop/connections/preview-1', {
      metadata: { name: 'preview-1', namespace: 'shop' },
    })
    cluster.put('/api/v1/namespaces/intercept-system/secrets/intercept-ca', {
      metadata: { name: 'intercept-ca', namespace: 'intercept-system' },
    })
    seen = []
    await uninstall(kube(), { progress })
    expect([...cluster.objects.keys()]).toEqual([])
    const order = deleted()
    expect(order.slice(0, 7)).toEqual([
      'Intercept',
      'Connection',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
      'StatefulSet',
    ])
    expect(order.indexOf('ServiceAccount')).toBeGreaterThan(order.indexOf('StatefulSet'))
    expect(order.slice(-4)).toEqual(['CustomResourceDefinition', 'CustomResourceDefinition', 'Secret', 'Namespace'])
  })

  it('keeps a namespace that it did not make', async () => {
    cluster.put(namespace, { metadata: { name: 'intercept-system' } })
    await applyInstallation(kube(), {}, bundle, { progress })
    await uninstall(kube(), { progress })
    expect([...cluster.objects.keys()]).toEqual([namespace])
  })

  it('finds the namespaces to which the installation was limited', async () => {
    await applyInstallation(kube(), { namespaces: ['team-a', 'team-b'] }, bundle, { progress })
    expect([...cluster.objects.keys()].filter((path) => path.includes('/namespaces/team-'))).toHaveLength(4)
    await uninstall(kube(), { progress })
    expect([...cluster.objects.keys()]).toEqual([])
  })

  it('can be asked twice', async () => {
    await uninstall(kube(), { progress })
    expect(deleted()).toEqual([])
  })

  it('leaves a Helm release to Helm', async () => {
    cluster.put(statefulSet, {
      metadata: {
        name: 'intercept-proxy',
        namespace: 'intercept-system',
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'icpt' },
      },
    })
    await expect(uninstall(kube(), { progress })).rejects.toMatchObject({
      code: 'installed-by-helm',
      fix: 'helm uninstall icpt -n intercept-system',
    })
  })
})
