import { describe, expect, it } from 'vitest'
import { type Attempt, errorFromResponse, errorFromReview, type KubeErrorCode } from '../../src/kube/error.ts'
import { resourceInPath } from '../../src/kube/paths.ts'

const attempt: Attempt = {
  server: 'https://api.example.com',
  context: 'prod',
  verb: 'create',
  path: '/apis/intercept.dev/v1alpha1/namespaces/shop/intercepts',
  group: 'intercept.dev',
  resource: 'intercepts',
  namespace: 'shop',
}

function refusal(code: number, reason: string, message: string, changes: Partial<Attempt> = {}) {
  return errorFromResponse(code, JSON.stringify({ kind: 'Status', code, reason, message }), { ...attempt, ...changes })
}

describe('errorFromResponse', () => {
  it.each<[KubeErrorCode, number, string]>([
    ['invalid', 422, 'Invalid'],
    ['invalid', 400, 'BadRequest'],
    ['not-found', 404, 'NotFound'],
    ['gone', 410, 'Expired'],
    ['timeout', 504, 'Timeout'],
    ['too-many-requests', 429, 'TooManyRequests'],
    ['api-unreachable', 503, 'ServiceUnavailable'],
    ['api-error', 500, 'InternalError'],
    ['api-error', 405, 'MethodNotAllowed'],
  ])('is %s for %i %s', (code, status, reason) => {
    expect(refusal(status, reason, 'why')).toMatchObject({ code, status, reason })
  })

  it('names verb, resource, namespace and user of a missing right, and what an administrator types', () => {
    const error = refusal(
      403,
      'Forbidden',
      'intercepts.intercept.dev is forbidden: User "ann@example.com" cannot create resource "intercepts" in API group "intercept.dev" in the namespace "shop"',
    )
    expect(error).toMatchObject({ code: 'forbidden', user: 'ann@example.com' })
    expect(error.message).toBe('User ann@example.com may not create intercepts.intercept.dev in namespace shop.')
    expect(error.fix).toContain(
      'kubectl create rolebinding intercept-user --clusterrole=intercept-user --user=ann@example.com -n shop',
    )
  })

  it('proposes a role for a right that no role of ours has', () => {
    const error = refusal(
      403,
      'Forbidden',
      'User "system:serviceaccount:ci:bot" cannot get resource "pods/proxy" in API group ""',
      {
        verb: 'get',
        group: '',
        resource: 'pods/proxy',
      },
    )
    expect(error.fix).toContain('--verb=get --resource=pods/proxy -n shop')
    expect(error.fix).toContain('--serviceaccount=ci:bot')
  })

  it('proposes a cluster role where there is no namespace, and quotes odd names', () => {
    const error = refusal(403, 'Forbidden', `User "o'neil \\u00e9" cannot list resource "crds"`, {
      verb: 'list',
      group: 'x.io',
      resource: 'crds',
      namespace: undefined,
    })
    expect(error.message).toContain('list crds.x.io in the whole cluster')
    expect(error.fix).toContain('kubectl create clusterrole intercept-list-crds --verb=list --resource=crds.x.io')
  })

  it("passes on an admission policy's own words", () => {
    const error = refusal(
      403,
      'Forbidden',
      `intercepts.intercept.dev "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: this Intercept is held by 'bob'`,
    )
    expect(error).toMatchObject({ code: 'denied', message: "this Intercept is held by 'bob'" })
    const webhook = refusal(400, 'BadRequest', 'admission webhook "x.io" denied the request: not on Fridays')
    expect(webhook).toMatchObject({ code: 'denied', message: 'not on Fridays' })
  })

  it('does not take a namespace that ends for a missing right', () => {
    expect(
      refusal(403, 'Forbidden', 'unable to create new content in namespace shop because it is being terminated').code,
    ).toBe('denied')
  })

  it('survives an answer that is no Status: a proxy between', () => {
    expect(errorFromResponse(502, '<html>Bad Gateway', attempt)).toMatchObject({ code: 'api-unreachable', reason: '' })
    expect(errorFromResponse(500, '{"kind":', attempt).message).toContain('{"kind":')
    expect(errorFromResponse(418, '', attempt).message).toContain('HTTP 418')
  })
})

describe('resourceInPath', () => {
  it.each([
    [
      '/api/v1/namespaces/shop/pods/web-0/portforward?ports=1',
      { group: '', resource: 'pods/portforward', namespace: 'shop', name: 'web-0' },
    ],
    [
      '/api/v1/namespaces/sys/pods/https:p-0:8443/proxy/carrier/x',
      { group: '', resource: 'pods/proxy', namespace: 'sys', name: 'p-0' },
    ],
    ['/apis/apps/v1/deployments', { group: 'apps', resource: 'deployments' }],
    ['/api/v1/namespaces/shop', { group: '', resource: 'namespaces', name: 'shop' }],
    ['/readyz', {}],
  ])('%s', (path, expected) => {
    expect(resourceInPath(path)).toEqual(expected)
  })
})

it('says what a review of rights would have refused, to whom', () => {
  const attempt = {
    server: 'https://fake',
    context: 'fake',
    verb: 'watch',
    path: '',
    group: '',
    resource: 'configmaps',
    namespace: 'shop',
  }
  expect(errorFromReview(attempt, 'ada')).toMatchObject({
    code: 'forbidden',
    message: 'User ada may not watch configmaps in namespace shop.',
    user: 'ada',
    fix: expect.stringContaining('--verb=watch --resource=configmaps -n shop'),
  })
  expect(errorFromReview(attempt, undefined)).toMatchObject({
    message: 'You may not watch configmaps in namespace shop.',
    fix: expect.stringContaining('--user=USER'),
  })
})
