import { expect, test } from 'vitest'
import { Store, type StoreEvent } from '../../../cli/demo/cluster/store/store.ts'

const object = (name: string, namespace?: string) => ({ metadata: { name, ...(namespace ? { namespace } : {}) } })

test('one revision counts all changes, and events carry what was before', () => {
  const store = new Store()
  const events: StoreEvent[] = []
  const forget = store.onEvent((event) => events.push(event))
  const start = store.revision
  const first = store.put('things', object('a', 'n'))
  const second = store.put('things', object('a', 'n'))
  store.remove('things', second)
  expect(events.map(({ type, revision }) => [type, revision - start])).toEqual([
    ['ADDED', 1],
    ['MODIFIED', 2],
    ['DELETED', 3],
  ])
  expect(events[1]?.previous).toBe(first)
  expect(events[2]?.object.metadata.resourceVersion).toBe(String(start + 3))
  forget()
  store.put('things', object('b'))
  expect(events).toHaveLength(3)
})

test('lists are sorted, and of one namespace if asked', () => {
  const store = new Store()
  for (const [name, namespace] of [
    ['b', 'x'],
    ['a', 'y'],
    ['a', 'x'],
  ])
    store.put('things', object(name ?? '', namespace))
  expect(store.list('things').map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
    'x/a',
    'x/b',
    'y/a',
  ])
  expect(store.list('things', 'y')).toHaveLength(1)
  expect(store.get('things', 'x', 'none')).toBeUndefined()
})

test('the past can be read until it is forgotten, by length or by compaction', () => {
  const store = new Store()
  const start = store.revision
  store.put('things', object('a'))
  store.put('others', object('a'))
  expect(store.since('things', start)).toHaveLength(1)
  for (let count = 0; count < 5_000; count += 1) store.put('things', object('a'))
  expect(store.since('things', start)).toBeUndefined()
  const now = store.revision
  store.compact()
  expect(store.since('things', now - 1)).toBeUndefined()
  expect(store.since('things', now)).toEqual([])
})
