import { describe, expect, it } from 'vitest'
import { rolloutOf } from '../../cli/install/rollout.ts'
import type { Event, Pod, StatefulSet } from '../../src/kube/objects.ts'

type Status = NonNullable<StatefulSet['status']>

function set(status: Status, generation = 1): StatefulSet {
  return {
    metadata: { name: 'intercept-proxy', uid: 'set', generation },
    spec: { replicas: 2 } as StatefulSet['spec'],
    status,
  }
}

function pod(name: string, status: NonNullable<Pod['status']>): Pod {
  return { metadata: { name, namespace: 'sys' }, spec: { containers: [] }, status }
}

const ready = pod('p-1', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })
const half = set({ observedGeneration: 1, readyReplicas: 1, updatedReplicas: 2 })

function detailOf(pods: Pod[], events: Event[] = []) {
  return rolloutOf({ statefulSet: half, pods, events })
}

describe('rolloutOf', () => {
  it('is done when every replica is ready and of this generation', () => {
    const all = { observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2 }
    expect(rolloutOf({ statefulSet: set(all, 2), pods: [], events: [] })).toEqual({ done: true, ready: 2, wanted: 2 })
    expect(rolloutOf({ statefulSet: set(all, 3), pods: [], events: [] }).done).toBe(false)
    expect(rolloutOf({ statefulSet: set({ ...all, updatedReplicas: 1 }, 2), pods: [], events: [] }).done).toBe(false)
    expect(rolloutOf({ statefulSet: undefined, pods: [], events: [] })).toEqual({ done: false, ready: 0, wanted: 0 })
  })

  it('names the image that cannot be pulled, before a pod that only starts', () => {
    const pulling = {
      name: 'proxy',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'ImagePullBackOff', message: 'x' } },
    }
    expect(
      detailOf([pod('p-0', { phase: 'Pending' }), pod('p-2', { containerStatuses: [pulling] }), ready]),
    ).toMatchObject({
      detail: 'p-2: ImagePullBackOff: x',
      stuck: true,
      fix: expect.stringContaining('--image'),
    })
  })

  it('says how a crashing container ended, and where its log is', () => {
    const crashing = {
      name: 'proxy',
      ready: false,
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
    }
    expect(detailOf([pod('p-0', { containerStatuses: [crashing] })])).toMatchObject({
      detail: 'p-0: CrashLoopBackOff (ended with status 137, OOMKilled)',
      fix: 'kubectl -n sys logs p-0 --previous',
    })
  })

  it('says that there is no node', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False' as const, message: '0/3 nodes are available' }]
    expect(detailOf([pod('p-0', { phase: 'Pending', conditions })]).detail).toBe(
      'p-0 has no node: 0/3 nodes are available',
    )
  })

  it('takes the last warning where there is no pod at all', () => {
    const warning = (message: string, lastTimestamp: string): Event => ({
      metadata: { name: message },
      type: 'Warning',
      reason: 'FailedCreate',
      message,
      lastTimestamp,
      involvedObject: { uid: 'set' },
    })
    const events = [warning('new', '2026-01-02T00:00:00Z'), warning('old', '2026-01-01T00:00:00Z')]
    expect(detailOf([], [...events, { ...events[0], involvedObject: { uid: 'other' } } as Event]).detail).toBe(
      'FailedCreate: new',
    )
  })

  it('names the pod that is not ready yet', () => {
    expect(detailOf([ready, pod('p-0', { phase: 'Running' })]).detail).toBe('p-0 is not ready yet')
  })
})
