import { afterEach, beforeEach, expect, it } from 'vitest'
import { releaseAll } from '../../proxy-pod/release-all.ts'
import { createLog } from '../../src/log.ts'
import { ObjectApi } from '../install/object-api.ts'
import { clientOf } from '../kube/client-of.ts'
import { FakeApi, status } from '../kube/fake-api.ts'

let api: FakeApi
let cluster: ObjectApi

beforeEach(async () => {
  api = await new FakeApi().start()
  cluster = new ObjectApi()
  api.handler = cluster.handle
  for (const place of ['intercepts/orders-ann', 'connections/preview-1']) {
    const name = place.split('/')[1] ?? ''
    cluster.put(`/apis/intercept.dev/v1alpha1/namespaces/shop/${place}`, { metadata: { name, namespace: 'shop' } })
  }
})
afterEach(() => api.stop())

const log = createLog('silent', {})

it('deletes every Intercept, then every Connection', async () => {
  await releaseAll(clientOf(api.url), [], log)
  expect(cluster.changes).toEqual([
    'DELETE /apis/intercept.dev/v1alpha1/namespaces/shop/intercepts/orders-ann',
    'DELETE /apis/intercept.dev/v1alpha1/namespaces/shop/connections/preview-1',
  ])
})

it('does not mind a cluster without Connections', async () => {
  api.handler = (request, response) =>
    request.path.endsWith('/connections')
      ? status(response, 404, 'NotFound', 'the server could not find the requested resource')
      : cluster.handle(request, response)
  await releaseAll(clientOf(api.url), [], log)
  expect(cluster.changes).toEqual(['DELETE /apis/intercept.dev/v1alpha1/namespaces/shop/intercepts/orders-ann'])
})
