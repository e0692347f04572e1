import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/error.ts'
import { endpointSlices, namespaces, pods, services } from '../../src/kube/resources.ts'
import { clientOf } from './client-of.ts'
import { FakeApi, json, status } from './fake-api.ts'

let api: FakeApi
let kube: KubeClient

beforeEach(async () => {
  api = await new FakeApi().start()
  kube = clientOf(api.url)
})
afterEach(async () => {
  kube.close()
  await api.stop()
})

async function failure(promise: Promise<unknown>): Promise<KubeError> {
  try {
    await promise
  } catch (error) {
    expect(error).toBeInstanceOf(KubeError)
    return error as KubeError
  }
  throw new Error('it did not fail')
}

describe('reading', () => {
  it('asks for paths as the API server has them', async () => {
    api.handler = (_request, response) => json(response, { metadata: { name: 'x' } })
    await kube.get(services, 'shop', 'orders')
    await kube.get(endpointSlices, 'shop', 'orders-1')
    await kube.get(namespaces, undefined, 'shop')
    expect(api.requests.map((request) => request.path)).toEqual([
      '/api/v1/namespaces/shop/services/orders',
      '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/orders-1',
      '/api/v1/namespaces/shop',
    ])
  })

  it('finds nothing without an error', async () => {
    api.handler = (_request, response) => status(response, 404, 'NotFound', 'services "orders" not found')
    expect(await kube.find(services, 'shop', 'orders')).toBeUndefined()
    expect(await failure(kube.get(services, 'shop', 'orders'))).toMatchObject({ code: 'not-found', status: 404 })
  })

  it('lists page by page and fills in kinds', async () => {
    api.handler = ({ query }, response) => {
      const page = Number(query.get('continue') ?? 0)
      const metadata = page < 2 ? { continue: String(page + 1), resourceVersion: '7' } : { resourceVersion: '7' }
      json(response, { metadata, items: [{ metadata: { name: `pod-${page}` } }] })
    }
    const found = await kube.list(pods, { namespace: 'shop', labelSelector: 'app=web' })
    expect(found.map(({ kind, apiVersion, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)).toEqual([
      'v1 Pod pod-0',
      'v1 Pod pod-1',
      'v1 Pod pod-2',
    ])
    expect(api.requests[0]?.query.get('limit')).toBe('500')
    expect(api.requests.every(({ query }) => query.get('labelSelector') === 'app=web')).toBe(true)
  })

  it('reads all at once when the pages expire half-way', async () => {
    api.handler = ({ query }, response) => {
      if (query.has('continue')) return status(response, 410, 'Expired', 'the continue token is too old')
      const whole = !query.has('limit')
      json(response, {
        metadata: whole ? {} : { continue: 'x' },
        items: ['a', 'b'].slice(0, whole ? 2 : 1).map((name) => ({ metadata: { name } })),
      })
    }
    expect((await kube.list(pods)).map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
  })
})

describe('writing', () => {
  it('sends each kind of patch with its content type, its manager and its subresource', async () => {
    api.handler = (_request, response) => json(response, {})
    await kube.patch(services, 'shop', 'orders', { a: 1 }, { type: 'merge' })
    await kube.patch(services, 'shop', 'orders', [], { type: 'json', subresource: 'status' })
    await kube.patch(services, 'shop', 'orders', {}, { type: 'apply', fieldManager: 'me', force: true, dryRun: true })
    expect(
      api.requests.map(({ method, path, query, headers }) => [method, path, String(query), headers['content-type']]),
    ).toEqual([
      ['PATCH', '/api/v1/namespaces/shop/services/orders', 'fieldManager=intercept', 'application/merge-patch+json'],
      [
        'PATCH',
        '/api/v1/namespaces/shop/services/orders/status',
        'fieldManager=intercept',
        'application/json-patch+json',
      ],
      [
        'PATCH',
        '/api/v1/namespaces/shop/services/orders',
        'fieldManager=me&force=true&dryRun=All',
        'application/apply-patch+yaml',
      ],
    ])
  })

  it('takes a deletion of what is gone, or has another uid, for done', async () => {
    api.handler = (_request, response) => status(response, 404, 'NotFound', 'gone')
    await kube.delete(services, 'shop', 'orders')
    api.handler = (_request, response) =>
      status(response, 409, 'Conflict', 'the UID in the precondition does not match')
    await kube.delete(services, 'shop', 'orders', { uid: '1', gracePeriodSeconds: 0, propagation: 'Background' })
    expect(JSON.parse(api.requests[1]?.body ?? '')).toMatchObject({
      preconditions: { uid: '1' },
      gracePeriodSeconds: 0,
      propagationPolicy: 'Background',
    })
    expect((await failure(kube.delete(services, 'shop', 'orders'))).code).toBe('conflict')
  })

  it('tells a name that is taken from a version that is old', async () => {
    api.handler = (_request, response) => status(response, 409, 'AlreadyExists', 'exists')
    const object = { metadata: { name: 'orders', namespace: 'shop' } }
    expect((await failure(kube.create(services, object))).code).toBe('already-exists')
    api.handler = (_request, response) => status(response, 409, 'Conflict', 'modified')
    expect((await failure(kube.patch(services, 'shop', 'orders', {}, { type: 'merge' }))).code).toBe('conflict')
  })
})

describe('credentials', () => {
  it('are renewed once when refused, once for all who saw it', async () => {
    const renewals: boolean[] = []
    let token = 'old'
    kube = clientOf(api.url, {
      credentials: async (renew) => {
        if (renew) {
          renewals.push(renew)
          token = 'new'
        }
        return { headers: { authorization: `Bearer ${token}` } }
      },
    })
    api.handler = ({ headers }, response) =>
      headers.authorization === 'Bearer new'
        ? json(response, { items: [] })
        : status(response, 401, 'Unauthorized', 'Unauthorized')
    await Promise.all([kube.list(pods), kube.list(services), kube.list(namespaces)])
    expect(renewals).toHaveLength(1)
  })

  it('that stay refused are an error that says whose', async () => {
    api.handler = (_request, response) => status(response, 401, 'Unauthorized', 'Unauthorized')
    const error = await failure(kube.list(pods))
    expect(error).toMatchObject({ code: 'credentials-expired', status: 401 })
    expect(error.message).toContain("context 'test'")
    expect(api.requests).toHaveLength(2)
  })
})

describe('a server in trouble', () => {
  it('is asked again when it says when', async () => {
    api.handler = (_request, response) => {
      if (api.requests.length > 2) return json(response, { items: [] })
      response.setHeader('retry-after', '0')
      status(response, 429, 'TooManyRequests', 'slow down')
    }
    expect(await kube.list(pods)).toEqual([])
    expect(api.requests).toHaveLength(3)
  })

  it('that does not answer in time is a timeout', async () => {
    kube = clientOf(api.url, {}, { timeouts: { requestMs: 50 } })
    api.handler = () => undefined
    expect(await failure(kube.list(pods))).toMatchObject({ code: 'timeout', status: 0 })
  })

  it('that is not there is unreachable, with its address', async () => {
    await api.stop()
    const error = await failure(kube.list(pods))
    expect(error.code).toBe('api-unreachable')
    expect(error.message).toMatch(/ECONNREFUSED/)
    expect(error.fix).toContain('--context test')
  })

  it('that dropped a kept connection is asked again where that is safe', async () => {
    api.handler = (_request, response) => json(response, { items: [], metadata: {} })
    await kube.list(pods)
    const [kept] = api.sockets
    // The next request on this connection is cut before an answer.
    api.handler = ({ headers }, response) => {
      if (api.sockets.has(kept as never) && headers.host) return api.cut()
      json(response, { items: [] })
    }
    expect(await kube.list(pods)).toEqual([])
  })

  it('ends with the signal of its owner', async () => {
    const stop = new AbortController()
    kube = clientOf(api.url, {}, { signal: stop.signal })
    api.handler = () => stop.abort()
    expect((await failure(kube.list(pods))).code).toBe('aborted')
  })
})

describe('questions about oneself', () => {
  it('asks who it is and what it may', async () => {
    api.handler = ({ path, body }, response) => {
      if (path.endsWith('selfsubjectreviews'))
        return json(response, { status: { userInfo: { username: 'ann', groups: ['dev'] } } })
      const { resourceAttributes } = (JSON.parse(body) as { spec: { resourceAttributes: { verb: string } } }).spec
      json(response, { status: { allowed: resourceAttributes.verb === 'get' } })
    }
    expect(await kube.whoAmI()).toEqual({ username: 'ann', groups: ['dev'] })
    expect(await kube.may({ verb: 'get', resource: 'pods' })).toBe(true)
    expect(await kube.may({ verb: 'delete', resource: 'pods' })).toBe(false)
  })

  it('reads plain text too', async () => {
    api.handler = (_request, response) => void response.end('ok')
    expect(await kube.request('GET', '/readyz')).toBe('ok')
  })
})
