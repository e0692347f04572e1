import { expect, test } from 'vitest'
import { FollowedObjects } from '../../../../cli/outbound/files/followed-objects.ts'
import { KubeError } from '../../../../src/kube/error.ts'
import type { ConfigMap } from '../../../../src/kube/objects.ts'
import { configMaps } from '../../../../src/kube/resources.ts'
import { FakeKube } from '../../support/fake-kube.ts'

const namespace = 'shop'

function kubeWith(data: Record<string, string>): FakeKube {
  const kube = new FakeKube()
  kube.put<ConfigMap>(configMaps, { metadata: { name: 'settings', namespace }, data })
  kube.put<ConfigMap>(configMaps, { metadata: { name: 'other', namespace }, data: {} })
  return kube
}

test('each is watched by its own name, so that a right to that name is enough', async () => {
  const kube = kubeWith({ a: '1' })
  const asked: unknown[] = []
  kube.allowed = (access) => {
    asked.push(access)
    return true
  }
  const objects = new FollowedObjects(kube, namespace, () => undefined)
  await objects.follow(configMaps, 'settings')
  const access = { group: '', resource: 'configmaps', namespace, name: 'settings' }
  expect(asked).toEqual([
    { verb: 'list', ...access },
    { verb: 'watch', ...access },
  ])
  expect(objects.known<ConfigMap>(configMaps, 'settings')).toMatchObject({ found: { data: { a: '1' } } })
  expect(objects.known(configMaps, 'other')).toEqual({ absent: true })
  // Nothing else is read, and nothing is read by another way.
  expect(kube.asked).toEqual([])
  objects.stop()
})

test('is told of what changes, appears and goes, and of nothing after the end', async () => {
  const kube = kubeWith({ a: '1' })
  let changes = 0
  const objects = new FollowedObjects(kube, namespace, () => {
    changes += 1
  })
  await objects.follow(configMaps, 'settings')
  const before = changes
  kube.put<ConfigMap>(configMaps, { metadata: { name: 'settings', namespace }, data: { a: '2' } })
  expect(objects.known<ConfigMap>(configMaps, 'settings')).toMatchObject({ found: { data: { a: '2' } } })
  kube.remove(configMaps, namespace, 'settings')
  expect(objects.known(configMaps, 'settings')).toEqual({ absent: true })
  expect(changes).toBeGreaterThan(before + 1)
  const last = changes
  objects.stop()
  kube.put<ConfigMap>(configMaps, { metadata: { name: 'settings', namespace }, data: {} })
  expect(changes).toBe(last)
})

test('a list that is refused all the same is a reason to read once', async () => {
  const kube = kubeWith({ a: '1' })
  let stopped = 0
  const refusal = new KubeError('forbidden', 'You may not list configmaps.', { fix: 'ask' })
  kube.inform = () => {
    const synced = Promise.reject(refusal)
    return {
      synced,
      fresh: false,
      list: () => [],
      get: () => undefined,
      onChange: () => () => undefined,
      stop: () => {
        stopped += 1
      },
    }
  }
  const objects = new FollowedObjects(kube, namespace, () => undefined)
  await objects.follow(configMaps, 'settings')
  expect(objects.known<ConfigMap>(configMaps, 'settings')).toMatchObject({ found: { data: { a: '1' } } })
  expect(objects.unfollowed).toEqual([
    { type: configMaps, name: 'settings', why: 'You may not list configmaps', fix: 'ask' },
  ])
  expect(stopped).toBe(1)
})

test('what may not even be read is refused, with the right to read as the fix', async () => {
  const kube = kubeWith({})
  kube.allowed = () => false
  kube.before = () => {
    throw new KubeError('forbidden', 'You may not get configmaps.', { fix: 'ask for get' })
  }
  const objects = new FollowedObjects(kube, namespace, () => undefined)
  await objects.follow(configMaps, 'settings')
  expect(objects.known(configMaps, 'settings')).toEqual({ refused: 'You may not get configmaps', fix: 'ask for get' })
  expect(objects.unfollowed).toEqual([])
})

test('a cluster that does not answer is an error', async () => {
  const kube = kubeWith({})
  kube.may = () => Promise.reject(new KubeError('api-unreachable', 'no answer'))
  await expect(
    new FollowedObjects(kube, namespace, () => undefined).follow(configMaps, 'settings'),
  ).rejects.toMatchObject({ code: 'api-unreachable' })
})
