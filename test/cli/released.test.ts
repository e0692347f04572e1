import { describe, expect, test } from 'vitest'
import { type ReleaseState, released } from '../../cli/agent/released.ts'
import { endpointSlices, services } from '../../src/kube/resources.ts'
import { interceptType } from '../../src/resource/intercept.ts'
import { MANAGED_BY, MANAGED_BY_LABEL, TAKEN_OVER_KEY } from '../../src/resource/names.ts'
import { SERVICE_NAME_LABEL } from '../../src/takeover/endpoints.ts'
import { originService } from '../../src/takeover/origin-service.ts'
import { interceptOf, serviceOf, sliceOf } from '../proxy-pod/support/objects.ts'
import { FakeKube } from './support/fake-kube.ts'

const taken = serviceOf({ selector: { app: 'orders', [TAKEN_OVER_KEY]: 'x' } })

/** A Service in the middle of a takeover, with a slice of a proxy pod. */
function cluster(): FakeKube {
  const kube = new FakeKube()
  kube.put(services, taken)
  kube.put(services, originService(taken))
  const slice = sliceOf(['10.1.0.7'])
  kube.put(endpointSlices, {
    ...slice,
    metadata: {
      name: 'orders-intercept-proxy-0',
      namespace: 'shop',
      labels: { [SERVICE_NAME_LABEL]: 'orders', [MANAGED_BY_LABEL]: MANAGED_BY },
    },
  })
  return kube
}

describe('giving a Service back', () => {
  test('is over when nothing of ours is there, and tells what it waits for', async () => {
    const kube = cluster()
    const states: ReleaseState[] = []
    const over = released(kube, 'shop', 'orders', AbortSignal.timeout(4_000), (state) => {
      if (states.at(-1) !== state) states.push(state)
      if (state === 'the selector') kube.put(services, serviceOf())
      if (state === 'the proxy pods') kube.remove(endpointSlices, 'shop', 'orders-intercept-proxy-0')
      if (state === 'the origin Service') kube.remove(services, 'shop', 'orders-intercept-origin')
    })
    await expect(over).resolves.toBe('released')
    expect(states).toEqual(['the selector', 'the proxy pods', 'the origin Service', undefined])
  })

  test('is not waited for where somebody else has another port of it', async () => {
    const kube = cluster()
    kube.put(interceptType, interceptOf({ spec: { holder: 'bob' } }))
    await expect(released(kube, 'shop', 'orders', AbortSignal.timeout(4_000), () => undefined)).resolves.toBe('shared')
  })

  test.each([
    ['was refused', interceptOf({ status: { phase: 'Failed' } })],
    ['is for another Service', interceptOf({ spec: { service: 'stock' } })],
  ])('somebody else who %s does not count', async (_name, other) => {
    const kube = new FakeKube()
    kube.put(services, serviceOf())
    kube.put(interceptType, other)
    await expect(released(kube, 'shop', 'orders', AbortSignal.timeout(4_000), () => undefined)).resolves.toBe(
      'released',
    )
  })

  test('a Service that was deleted meanwhile is given back', async () => {
    await expect(released(new FakeKube(), 'shop', 'orders', AbortSignal.timeout(4_000), () => undefined)).resolves.toBe(
      'released',
    )
  })

  test('ends with the signal', async () => {
    const stop = new AbortController()
    const over = released(cluster(), 'shop', 'orders', stop.signal, () => undefined)
    stop.abort(new Error('Ctrl-C'))
    await expect(over).rejects.toThrow('Ctrl-C')
  })
})
