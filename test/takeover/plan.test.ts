import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EndpointSlice, Service } from '../../src/kube/objects.ts'
import { MANAGED_BY, originServiceName, REPLICA_UID_ANNOTATION } from '../../src/resource/names.ts'
import { SERVICE_NAME_LABEL, SLICE_MANAGER_LABEL } from '../../src/takeover/endpoints.ts'
import { originService } from '../../src/takeover/origin-service.ts'
import { isKubernetesBack, isOriginSynced, nextStep, type Observed, type Replica } from '../../src/takeover/plan.ts'
import { addKeyPatch, hasKey, originalSelector, removeKeyPatch } from '../../src/takeover/selector.ts'

const podAddress = '10.0.0.1'

function slice(
  service: string,
  manager: string,
  address: string | undefined,
  uid?: string,
  owner = 'u1',
): EndpointSlice {
  return {
    metadata: {
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: service, uid: owner }],
      name: uid ? `${service}-${uid}` : `${service}-k8s`,
      labels: { [SERVICE_NAME_LABEL]: service, [SLICE_MANAGER_LABEL]: manager },
      ...(uid ? { annotations: { [REPLICA_UID_ANNOTATION]: uid } } : {}),
    },
    addressType: 'IPv4',
    endpoints: address === undefined ? [] : [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  }
}

/** A cluster just real enough: Kubernetes fills slices from selectors, with a delay of its own. */
class Model {
  service: Service = {
    metadata: { name: 'orders', namespace: 'shop', uid: 'u1', resourceVersion: '1' },
    spec: { selector: { app: 'orders' }, ports: [{ port: 80, protocol: 'TCP' }], clusterIP: '10.96.0.5' },
  }
  origin: Service | undefined
  own = slice('orders', 'endpointslice-controller.k8s.io', podAddress)
  originOwn: EndpointSlice | undefined
  origins = 0
  published = new Map<string, EndpointSlice>()
  replicas: Replica[] = [
    { name: 'p-0', uid: 'a', ready: true },
    { name: 'p-1', uid: 'b', ready: true },
  ]
  wanted = false

  get observed(): Observed {
    const slices = [this.own, ...(this.originOwn ? [this.originOwn] : []), ...this.published.values()]
    return { service: this.service, origin: this.origin, slices, replicas: this.replicas, wanted: this.wanted }
  }

  /** What kube-proxy would route to. */
  get answering(): string[] {
    const living = new Set(this.replicas.map(({ uid }) => uid))
    return [
      ...(this.own.endpoints?.length ? ['origin'] : []),
      ...[...this.published.keys()].map((uid) => (living.has(uid) ? 'proxy' : 'dead')),
    ]
  }

  kubernetes(): void {
    this.own = slice('orders', 'endpointslice-controller.k8s.io', hasKey(this.service) ? undefined : podAddress)
    const name = originServiceName('orders')
    this.originOwn = this.origin
      ? slice(name, 'endpointslice-controller.k8s.io', podAddress, undefined, this.origin.metadata.uid)
      : undefined
  }

  replica(index: number): void {
    const replica = this.replicas[index]
    if (!replica) return
    if (this.wanted) {
      if (replica.ready && isOriginSynced(this.observed)) {
        this.published.set(replica.uid, slice('orders', MANAGED_BY, `10.1.0.${index}`, replica.uid))
      }
    } else if (isKubernetesBack(this.observed)) this.published.delete(replica.uid)
  }

  leader(): string {
    const step = nextStep(this.observed)
    const apply = (patch: object): void => {
      const { spec, metadata } = patch as {
        spec: { selector: Record<string, string | null> }
        metadata: { annotations: Record<string, string | null> }
      }
      const merge = (into: Record<string, string> = {}, from: Record<string, string | null>): Record<string, string> =>
        Object.fromEntries(
          Object.entries({ ...into, ...from }).filter((entry): entry is [string, string] => entry[1] !== null),
        )
      this.service = {
        ...this.service,
        metadata: {
          ...this.service.metadata,
          annotations: merge(this.service.metadata.annotations, metadata.annotations),
        },
        spec: { ...this.service.spec, selector: merge(this.service.spec.selector, spec.selector) },
      }
    }
    switch (step.kind) {
      case 'create-origin':
        this.origin = originService(this.service)
        this.origin.metadata.uid = `origin-${this.origins++}`
        break
      case 'update-origin':
        this.origin = { ...originService(this.service), metadata: this.origin?.metadata ?? { name: '' } }
        break
      case 'add-key':
        apply(addKeyPatch(this.service))
        break
      case 'remove-key':
        apply(removeKeyPatch(this.service))
        break
      case 'delete-slice':
        for (const [uid, one] of this.published) if (one.metadata.name === step.name) this.published.delete(uid)
        break
      case 'delete-origin':
        this.origin = undefined
        break
      case 'wait':
      case 'done':
        break
      default:
        step satisfies never
    }
    return step.kind
  }
}

const action = fc.oneof(
  { weight: 6, arbitrary: fc.constant('leader' as const) },
  { weight: 4, arbitrary: fc.constant('kubernetes' as const) },
  { weight: 3, arbitrary: fc.constant('replica-0' as const) },
  { weight: 3, arbitrary: fc.constant('replica-1' as const) },
  { weight: 2, arbitrary: fc.constant('toggle' as const) },
)

test('whatever the order of events, something answers at every moment, and in the end all is as it was', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const model = new Model()
      const original = JSON.stringify(model.service.spec)
      for (const one of actions) {
        if (one === 'leader') model.leader()
        else if (one === 'kubernetes') model.kubernetes()
        else if (one === 'toggle') model.wanted = !model.wanted
        else model.replica(one === 'replica-0' ? 0 : 1)
        expect(model.answering.length).toBeGreaterThan(0)
      }
      model.wanted = false
      settle(model)
      expect(model.answering).toEqual(['origin'])
      expect(JSON.stringify(model.service.spec)).toBe(original)
      expect(model.service.metadata.annotations ?? {}).toEqual({})
      expect(model.origin).toBeUndefined()
    }),
    { numRuns: 500 },
  )
})

test('a takeover ends with the proxy pods alone', () => {
  const model = new Model()
  model.wanted = true
  settle(model)
  expect(model.answering).toEqual(['proxy', 'proxy'])
  expect(nextStep(model.observed)).toEqual({ kind: 'done' })
})

test('the slice of a dead replica goes while another lives', () => {
  const model = new Model()
  model.wanted = true
  settle(model)
  model.replicas = model.replicas.slice(1)
  expect(nextStep(model.observed)).toEqual({ kind: 'delete-slice', name: 'orders-a' })
  settle(model)
  expect(model.answering).toEqual(['proxy'])
})

test('with every replica gone the origin is given back first, then the dead slices go', () => {
  const model = new Model()
  model.wanted = true
  settle(model)
  model.replicas = []
  const steps: string[] = []
  for (let turn = 0; turn < 20; turn++) {
    const kind = model.leader()
    if (kind !== 'wait' && kind !== 'done') steps.push(kind)
    model.kubernetes()
  }
  expect(steps).toEqual(['remove-key', 'delete-slice', 'delete-slice'])
  expect(model.answering).toEqual(['origin'])
})

test('a selector that somebody changes meanwhile is followed, and kept at the release', () => {
  const model = new Model()
  model.wanted = true
  settle(model)
  model.service = {
    ...model.service,
    spec: { ...model.service.spec, selector: { ...model.service.spec.selector, version: 'v2' } },
  }
  expect(nextStep(model.observed)).toEqual({ kind: 'update-origin' })
  settle(model)
  expect(model.origin?.spec.selector).toEqual({ app: 'orders', version: 'v2' })
  model.wanted = false
  settle(model)
  expect(originalSelector(model.service)).toEqual({ app: 'orders', version: 'v2' })
  expect(hasKey(model.service)).toBe(false)
})

function settle(model: Model): void {
  for (let turn = 0; turn < 40; turn++) {
    model.leader()
    model.kubernetes()
    model.replica(0)
    model.replica(1)
  }
}
