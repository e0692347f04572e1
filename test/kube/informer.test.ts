import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type InformerTuning, informerTuning } from '../../src/kube/informer.ts'
import { pods } from '../../src/kube/resources.ts'
import type { Informer, KubeObject } from '../../src/kube/types.ts'
import { clientOf } from './client-of.ts'
import { FakeApi, json, type SeenRequest, status } from './fake-api.ts'

/** A list of pods that a test changes, served as the API server serves lists and watches. */
class FakePods {
  version = 10
  readonly objects = new Map<string, KubeObject>()
  readonly watches = new Set<ServerResponse>()
  readonly lists: SeenRequest[] = []
  readonly watched: SeenRequest[] = []
  /** Answers instead of the list or watch, where it returns true. */
  intercept: (request: SeenRequest, response: ServerResponse) => boolean = () => false

  handle = (request: SeenRequest, response: ServerResponse): void => {
    const isWatch = request.query.has('watch')
    ;(isWatch ? this.watched : this.lists).push(request)
    if (this.intercept(request, response)) return
    if (isWatch) this.open(response)
    else json(response, { metadata: { resourceVersion: `${this.version}` }, items: [...this.objects.values()] })
  }

  open(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    this.watches.add(response)
    response.once('close', () => this.watches.delete(response))
  }

  put(name: string, type: 'ADDED' | 'MODIFIED' = 'ADDED'): void {
    const object = pod(name, ++this.version)
    this.objects.set(name, object)
    this.send({ type, object })
  }

  remove(name: string): void {
    this.objects.delete(name)
    this.send({ type: 'DELETED', object: pod(name, ++this.version) })
  }

  send(event: object): void {
    for (const watch of this.watches) watch.write(`${JSON.stringify(event)}\n`)
  }
}

function pod(name: string, version: number): KubeObject {
  return { metadata: { name, namespace: 'shop', resourceVersion: `${version}`, managedFields: [{ manager: 'x' }] } }
}

let api: FakeApi
let fake: FakePods
let informer: Informer<KubeObject>

beforeEach(async () => {
  api = await new FakeApi().start()
  fake = new FakePods()
  fake.objects.set('a', pod('a', 9))
  api.handler = fake.handle
})
afterEach(async () => {
  informer.stop()
  await api.stop()
})

function start(tuning: Partial<InformerTuning> = {}): Informer<KubeObject> {
  informer = clientOf(api.url, {}, { tuning }).inform(pods, { namespace: 'shop', labelSelector: 'app=web' })
  return informer
}

const names = () => informer.list().map(({ metadata }) => metadata.name)

/** Resolves at the change (of the list, or of what the server saw) after which the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 4_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never: ${condition}`)
    await new Promise<void>((resolve) => {
      const done = () => {
        off()
        clearTimeout(timer)
        resolve()
      }
      const off = informer.onChange(done)
      const timer = setTimeout(done, 5)
    })
  }
}

describe('an informer', () => {
  it('lists, then follows', async () => {
    start()
    await informer.synced
    expect(names()).toEqual(['a'])
    expect(informer.fresh).toBe(true)
    expect(fake.lists[0]?.query.get('labelSelector')).toBe('app=web')
    await until(() => fake.watches.size === 1)
    fake.put('b')
    await until(() => names().includes('b'))
    fake.remove('a')
    await until(() => !names().includes('a'))
    expect(informer.get('shop', 'b')?.metadata.resourceVersion).toBe('11')
    expect(informer.get('shop', 'a')).toBeUndefined()
    expect(informer.list().every(({ metadata }) => metadata.managedFields === undefined)).toBe(true)
    expect(Object.fromEntries(fake.watched[0]?.query ?? [])).toMatchObject({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      labelSelector: 'app=web',
    })
  })

  it('reads events that come in pieces, or many at once', async () => {
    start()
    await until(() => fake.watches.size === 1)
    const text = ['ä', 'b', 'c'].map((name) => `${JSON.stringify({ type: 'ADDED', object: pod(name, 20) })}\n`).join('')
    const bytes = Buffer.from(text)
    const [watch] = fake.watches
    for (let at = 0; at < bytes.length; at += 7) {
      watch?.write(bytes.subarray(at, at + 7))
      if (at % 49 === 0) await new Promise(setImmediate)
    }
    await until(() => names().length === 4)
    expect(names()).toEqual(['a', 'ä', 'b', 'c'])
  })

  it('goes on where a dropped watch was, bookmarks included, without a list', async () => {
    start()
    await until(() => fake.watches.size === 1)
    fake.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '42' } } })
    fake.put('b')
    await until(() => names().includes('b'))
    fake.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '77' } } })
    await new Promise(setImmediate)
    api.cut()
    await until(() => fake.watched.length > 1 && fake.watches.size === 1)
    expect(['77', '11']).toContain(fake.watched[1]?.query.get('resourceVersion'))
    fake.put('c')
    await until(() => names().includes('c'))
    expect(fake.lists).toHaveLength(1)
  })

  it.each([
    ['as an answer', (response: ServerResponse) => status(response, 410, 'Expired', 'too old resource version')],
    [
      'as an event',
      (response: ServerResponse) => {
        response.writeHead(200)
        response.end(
          `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'x' } })}\n`,
        )
      },
    ],
  ])('lists again after 410 %s', async (_how, gone) => {
    let times = 0
    fake.intercept = (request, response) => {
      if (!request.query.has('watch') || times++ > 0) return false
      fake.objects.delete('a')
      fake.objects.set('z', pod('z', 50))
      gone(response)
      return true
    }
    let changes = 0
    start().onChange(() => changes++)
    await until(() => names()[0] === 'z')
    expect(names()).toEqual(['z'])
    expect(fake.lists.length).toBeGreaterThanOrEqual(2)
    expect(changes).toBeGreaterThanOrEqual(2)
  })

  it('leaves a watch that went silent, and stays fresh', async () => {
    start({ watchIdleMs: 40 })
    await until(() => fake.watched.length >= 3)
    expect(informer.fresh).toBe(true)
    expect(fake.lists).toHaveLength(1)
    fake.put('b')
    await until(() => names().includes('b'))
  })

  it('is not fresh while the server takes connections and says nothing', async () => {
    start({ watchIdleMs: 40, watchAnswerMs: 40 })
    await informer.synced
    fake.intercept = () => true
    await until(() => !informer.fresh)
    expect(names()).toEqual(['a'])
    fake.intercept = () => false
    await until(() => informer.fresh)
  })

  it('outlives a server that is away, and knows that it is not fresh meanwhile', async () => {
    start()
    await until(() => fake.watches.size === 1)
    fake.intercept = (_request, response) => {
      response.destroy()
      return true
    }
    api.cut()
    await until(() => !informer.fresh)
    fake.intercept = () => false
    await until(() => informer.fresh)
    fake.put('b')
    await until(() => names().includes('b'))
  })

  it('waits longer and longer, and never hammers', async () => {
    const times: number[] = []
    fake.intercept = (_request, response) => {
      times.push(performance.now())
      status(response, 500, 'InternalError', 'x')
      return true
    }
    start({ backoffMinMs: 10, backoffMaxMs: 80 })
    await until(() => times.length >= 6)
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(gaps.at(-1)).toBeGreaterThan(35)
    expect(gaps[0]).toBeLessThan((gaps.at(-1) ?? 0) + 40)
  })

  it('gives up for its caller, not for itself, where it may not list', async () => {
    fake.intercept = (_request, response) => {
      status(response, 403, 'Forbidden', 'User "ann" cannot list resource "pods" in API group ""')
      return true
    }
    start()
    await expect(informer.synced).rejects.toMatchObject({ code: 'forbidden' })
    expect(informer.fresh).toBe(false)
    fake.intercept = () => false
    await until(() => names().includes('a'))
    expect(informer.fresh).toBe(true)
  })

  it('keeps waiting through errors that pass', async () => {
    let times = 0
    fake.intercept = (_request, response) => {
      if (times++ >= 3) return false
      status(response, 503, 'ServiceUnavailable', 'etcd has no leader')
      return true
    }
    start()
    await informer.synced
    expect(names()).toEqual(['a'])
  })

  it('stops: no request, no change, and whoever waits is told', async () => {
    fake.intercept = () => true
    start()
    let changes = 0
    informer.onChange(() => changes++)
    informer.stop()
    await expect(informer.synced).rejects.toMatchObject({ code: 'aborted' })
    const asked = api.requests.length
    fake.intercept = () => false
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(api.requests.length - asked).toBeLessThanOrEqual(1)
    expect(changes).toBe(0)
  })

  it('has sane limits by default', () => {
    expect(informerTuning.watchIdleMs).toBeGreaterThan(2 * 60_000)
    expect(informerTuning.backoffMinMs).toBe(200)
    expect(informerTuning.backoffMaxMs).toBe(10_000)
  })
})
