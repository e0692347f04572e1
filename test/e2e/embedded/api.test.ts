import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../../cli/demo/cluster/cluster.ts'
import { type Dict, dictOf, dig, listOf } from '../../../cli/demo/cluster/json.ts'
import { connectKube } from '../../../src/kube/index.ts'
import { configMaps as configMapType } from '../../../src/kube/resources.ts'
import { type RawOptions, raw } from './api-client.ts'
import { echoService, widgets } from './objects.ts'

let cluster: EmbeddedCluster
beforeAll(async () => {
  cluster = await startEmbeddedCluster()
})
afterAll(() => cluster.stop())

const call = (method: string, path: string, body?: unknown, options: RawOptions = {}) =>
  raw(cluster.kubeconfigPath, method, path, { ...options, ...(body === undefined ? {} : { body }) })
const merge: RawOptions = { type: 'application/merge-patch+json' }
const apply: RawOptions = { type: 'application/apply-patch+yaml' }
const configMaps = '/api/v1/namespaces/default/configmaps'
const servicesPath = '/api/v1/namespaces/default/services'
const widgetsPath = '/apis/test.dev/v1/namespaces/default/widgets'

async function createConfigMap(name: string, data: Dict = { a: '1' }, metadata: Dict = {}): Promise<Dict> {
  const answer = await call('POST', configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...metadata },
    data,
  })
  expect(answer.status).toBe(201)
  return answer.body
}

describe('writing', () => {
  test('a stale resourceVersion is a conflict, and an unchanged object keeps its version', async () => {
    const first = await createConfigMap('versions')
    const path = `${configMaps}/versions`
    const second = (await call('PATCH', path, { data: { b: '2' } }, merge)).body
    expect(Number(dig(second, 'metadata', 'resourceVersion'))).toBeGreaterThan(
      Number(dig(first, 'metadata', 'resourceVersion')),
    )
    expect((await call('PUT', path, first)).body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "versions": the object has been modified; please apply your changes to the latest version and try again',
    })
    const same = (await call('PATCH', path, { data: { b: '2' } }, merge)).body
    expect(dig(same, 'metadata', 'resourceVersion')).toBe(dig(second, 'metadata', 'resourceVersion'))
  })

  test('errors have the shape and the words of the API server', async () => {
    const service = echoService('default', 'words')
    await call('POST', servicesPath, service)
    const cases: [string, string, unknown, RawOptions, Dict][] = [
      [
        'GET',
        `${servicesPath}/none`,
        undefined,
        {},
        {
          code: 404,
          reason: 'NotFound',
          message: 'services "none" not found',
          details: { name: 'none', kind: 'services' },
        },
      ],
      [
        'POST',
        servicesPath,
        service,
        {},
        { code: 409, reason: 'AlreadyExists', message: 'services "words" already exists' },
      ],
      [
        'POST',
        '/api/v1/namespaces/none/services',
        { ...service, metadata: { name: 'x' } },
        {},
        { code: 404, message: 'namespaces "none" not found' },
      ],
      [
        'GET',
        '/api/v1/namespaces/default/foos',
        undefined,
        {},
        { code: 404, message: 'the server could not find the requested resource' },
      ],
      [
        'PATCH',
        `${servicesPath}/words`,
        [{ op: 'test', path: '/spec/type', value: 'x' }],
        { type: 'application/json-patch+json' },
        { code: 422, reason: 'Invalid', message: 'the server rejected our request due to an error in our request' },
      ],
      [
        'GET',
        `${servicesPath}?fieldSelector=spec.nope=1`,
        undefined,
        {},
        { code: 400, message: 'field label not supported: spec.nope' },
      ],
      [
        'GET',
        `${servicesPath}?labelSelector=a+in+b`,
        undefined,
        {},
        { code: 400, message: "unable to parse requirement: found 'b' expected: '('" },
      ],
      ['DELETE', `${servicesPath}/words`, { preconditions: { uid: 'x' } }, {}, { code: 409, reason: 'Conflict' }],
    ]
    for (const [method, path, body, options, expected] of cases) {
      expect((await call(method, path, body, options)).body, `${method} ${path}`).toMatchObject({
        kind: 'Status',
        status: 'Failure',
        ...expected,
      })
    }
    const invalid = await call('POST', servicesPath, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'A_' },
      spec: { ports: [{ port: 0 }] },
    })
    expect(invalid.body).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: expect.stringMatching(
        /^Service "A_" is invalid: \[metadata\.name: Invalid value: "A_": a DNS-1035 label/,
      ),
    })
    expect(listOf(dig(invalid.body, 'details', 'causes')).map((cause) => dictOf(cause).field)).toEqual([
      'metadata.name',
      'spec.ports[0].port',
      'spec.ports[0].targetPort',
    ])
  })

  test('a dry run stores nothing; generateName makes names', async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-' } }
    const dry = await call('POST', `${configMaps}?dryRun=All`, body)
    expect(dig(dry.body, 'metadata', 'name')).toMatch(/^made-[a-z0-9]{5}$/)
    expect((await call('GET', `${configMaps}/${dig(dry.body, 'metadata', 'name')}`)).status).toBe(404)
  })

  test('server-side apply: owners, conflicts, force, and removal of what is no longer applied', async () => {
    const config = (ports: Dict[], labels?: Dict) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'applied', ...(labels ? { labels } : {}) },
      spec: { selector: { app: 'a' }, ports },
    })
    const path = `${servicesPath}/applied?fieldManager=`
    const http = { name: 'http', port: 80 }
    const created = await call('PATCH', `${path}one`, config([http, { name: 'admin', port: 81 }], { x: '1' }), apply)
    expect(created.status).toBe(201)
    expect(dig(created.body, 'spec', 'type')).toBe('ClusterIP')
    // Another manager adds a key to the selector, which is atomic: it owns it now.
    await call('PATCH', `${servicesPath}/applied?fieldManager=two`, { spec: { selector: { held: 'yes' } } }, merge)
    const refused = await call('PATCH', `${path}one`, config([http]), apply)
    expect(refused.body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "two" using v1: .spec.selector',
      details: {
        causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "two" using v1', field: '.spec.selector' }],
      },
    })
    const forced = await call('PATCH', `${path}one&force=true`, config([http]), apply)
    expect(forced.status).toBe(200)
    expect(forced.body.spec).toMatchObject({
      selector: { app: 'a' },
      ports: [{ name: 'http', port: 80, targetPort: 80, protocol: 'TCP' }],
    })
    expect(dig(forced.body, 'spec', 'ports')).toHaveLength(1)
    expect(dig(forced.body, 'metadata', 'labels')).toBeUndefined()
    const again = await call('PATCH', `${path}one&force=true`, config([http]), apply)
    expect(dig(again.body, 'metadata', 'resourceVersion')).toBe(dig(forced.body, 'metadata', 'resourceVersion'))
    const managers = listOf(dig(again.body, 'metadata', 'managedFields')).map((entry) => [
      dictOf(entry).manager,
      dictOf(entry).operation,
    ])
    expect(managers).toEqual([['one', 'Apply']])
  })

  test('finalizers hold an object, owners take theirs along, orphans stay', async () => {
    await createConfigMap('held', {}, { finalizers: ['test.dev/hold'] })
    const marked = await call('DELETE', `${configMaps}/held`)
    expect(dig(marked.body, 'metadata', 'deletionTimestamp')).toBeTypeOf('string')
    expect((await call('GET', `${configMaps}/held`)).status).toBe(200)
    await call('PATCH', `${configMaps}/held`, { metadata: { finalizers: null } }, merge)
    expect((await call('GET', `${configMaps}/held`)).status).toBe(404)

    for (const [policy, stays] of [
      ['Background', false],
      ['Foreground', false],
      ['Orphan', true],
    ] as const) {
      const owner = await createConfigMap(`owner-${policy.toLowerCase()}`)
      const { name, uid } = dictOf(owner.metadata)
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid, blockOwnerDeletion: true }]
      const dependent = `of-${name}`
      await createConfigMap(dependent, {}, { ownerReferences })
      await call('DELETE', `${configMaps}/${name}`, { propagationPolicy: policy })
      await cluster.until('configmaps', (all) => !all.some(({ metadata }) => metadata.uid === uid))
      if (!stays) await cluster.until('configmaps', (all) => !all.some(({ metadata }) => metadata.name === dependent))
      else
        expect(
          dig((await call('GET', `${configMaps}/${dependent}`)).body, 'metadata', 'ownerReferences'),
        ).toBeUndefined()
    }
  })

  test('a namespace empties itself before it goes, and takes nothing new', async () => {
    await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'brief' } })
    await call('POST', '/api/v1/namespaces/brief/configmaps', {
      metadata: { name: 'last', finalizers: ['test.dev/hold'] },
    })
    const deleted = await call('DELETE', '/api/v1/namespaces/brief')
    expect(dig(deleted.body, 'status', 'phase')).toBe('Terminating')
    const late = await call('POST', '/api/v1/namespaces/brief/configmaps', { metadata: { name: 'late' } })
    expect(late.body).toMatchObject({
      code: 403,
      message:
        'configmaps "late" is forbidden: unable to create new content in namespace brief because it is being terminated',
    })
    await call('PATCH', '/api/v1/namespaces/brief/configmaps/last', { metadata: { finalizers: [] } }, merge)
    await cluster.until('namespaces', (all) => !all.some(({ metadata }) => metadata.name === 'brief'))
  })
})

describe('reading', () => {
  test('lists come in pages', async () => {
    for (const name of ['page-1', 'page-2', 'page-3']) await createConfigMap(name, {}, { labels: { page: 'yes' } })
    const first = await call('GET', `${configMaps}?labelSelector=page%3Dyes&limit=2`)
    expect(dig(first.body, 'metadata', 'remainingItemCount')).toBe(1)
    const next = encodeURIComponent(String(dig(first.body, 'metadata', 'continue')))
    const rest = await call('GET', `${configMaps}?labelSelector=page%3Dyes&limit=2&continue=${next}`)
    const names = [...listOf(first.body.items), ...listOf(rest.body.items)].map((item) => dig(item, 'metadata', 'name'))
    expect(names).toEqual(['page-1', 'page-2', 'page-3'])
  })

  test('a watch goes on from a version, follows a selector, and says when the version is too old', async () => {
    const start = (await createConfigMap('seen', {}, { labels: { seen: 'yes' } })).metadata as Dict
    const path = `${configMaps}/seen`
    await call('PATCH', path, { data: { step: '1' } }, merge)
    await call('PATCH', path, { metadata: { labels: { seen: 'no' } } }, merge)
    await call('PATCH', path, { metadata: { labels: { seen: 'yes' } } }, merge)
    await call('DELETE', path)
    const query = `watch=1&timeoutSeconds=1&labelSelector=seen%3Dyes&resourceVersion=${start.resourceVersion}`
    const { text } = await call('GET', `${configMaps}?${query}`)
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Dict)
    expect(events.map(({ type }) => type)).toEqual(['MODIFIED', 'DELETED', 'ADDED', 'DELETED'])
    cluster.compact()
    const expired = JSON.parse((await call('GET', `${configMaps}?watch=1&timeoutSeconds=1&resourceVersion=1`)).text)
    expect(expired).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  })

  test('a watch list sends everything, and a bookmark where the list ends', async () => {
    await createConfigMap('listed', {}, { labels: { listed: 'yes' } })
    const query =
      'watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=listed'
    const events = (await call('GET', `${configMaps}?${query}`)).text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Dict)
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK'])
    expect(dig(events[1], 'object', 'metadata', 'annotations')).toEqual({ 'k8s.io/initial-events-end': 'true' })
  })
})

describe('custom resources and policies', () => {
  beforeAll(async () => {
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', widgets)
    await cluster.until('customresourcedefinitions.apiextensions.k8s.io', (all) =>
      all.some((each) => dig(each, 'status', 'conditions')),
    )
  })
  const widget = (name: string, spec: Dict) => ({ apiVersion: 'test.dev/v1', kind: 'Widget', metadata: { name }, spec })

  test('defaults, pruning, and errors as the schema says', async () => {
    const made = await call('POST', `${widgetsPath}?fieldValidation=Warn`, {
      ...widget('good', { size: 3, nope: 1 }),
      status: { conditions: [] },
    })
    expect(made.body).toMatchObject({ spec: { size: 3, colour: 'red' }, metadata: { generation: 1 } })
    expect(made.body.status).toBeUndefined()
    expect(made.headers.warning).toBe('299 - "unknown field \\"spec.nope\\""')
    const strict = await call('POST', `${widgetsPath}?fieldValidation=Strict`, widget('strict', { size: 3, nope: 1 }))
    expect(strict.body).toMatchObject({
      code: 400,
      message: expect.stringContaining('strict decoding error: unknown field "spec.nope"'),
    })
    const bad = await call('POST', widgetsPath, widget('bad', { size: 10, colour: 'green', owner: 'X' }))
    expect(bad.body).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(listOf(dig(bad.body, 'details', 'causes')).map((cause) => dictOf(cause).field)).toEqual([
      'spec.size',
      'spec.colour',
      'spec.owner',
    ])
    const blue = await call('POST', widgetsPath, widget('blue', { size: 2, colour: 'blue' }))
    expect(blue.body).toMatchObject({
      code: 422,
      message: 'Widget.test.dev "blue" is invalid: spec: Invalid value: "object": blue ones are big',
    })
    await call('PATCH', `${widgetsPath}/good`, { spec: { owner: 'ann' } }, merge)
    const moved = await call('PATCH', `${widgetsPath}/good`, { spec: { owner: 'bob' } }, merge)
    expect(moved.body).toMatchObject({ code: 422, message: expect.stringContaining('owner stays') })
  })

  test('status is written through its subresource only, list maps are merged by apply, and columns are shown', async () => {
    await call('POST', widgetsPath, widget('stated', { size: 5 }))
    const condition = (type: string) => ({
      apiVersion: 'test.dev/v1',
      kind: 'Widget',
      status: { conditions: [{ type, status: 'True' }] },
    })
    for (const type of ['Ready', 'Seen']) {
      const answer = await call('PATCH', `${widgetsPath}/stated/status?fieldManager=${type}`, condition(type), apply)
      expect(answer.status).toBe(200)
    }
    const stated = (await call('PATCH', `${widgetsPath}/stated`, { spec: { size: 6 }, status: null }, merge)).body
    expect(stated.metadata).toMatchObject({ generation: 2 })
    expect(listOf(dig(stated, 'status', 'conditions')).map((each) => dictOf(each).type)).toEqual(['Ready', 'Seen'])
    const dropped = await call(
      'PATCH',
      `${widgetsPath}/stated/status?fieldManager=Seen`,
      { ...condition('Seen'), status: { conditions: [] } },
      apply,
    )
    expect(listOf(dig(dropped.body, 'status', 'conditions')).map((each) => dictOf(each).type)).toEqual(['Ready'])
    const table = await call('GET', `${widgetsPath}/stated`, undefined, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    expect(listOf(table.body.columnDefinitions).map((column) => dictOf(column).name)).toEqual(['Name', 'Size', 'Ready'])
    expect(dictOf(listOf(table.body.rows)[0]).cells).toEqual(['stated', 6, 'True'])
  })

  test('an admission policy with CEL refuses, and asks the authorizer', async () => {
    const group = '/apis/admissionregistration.k8s.io/v1'
    await call('POST', `${group}/validatingadmissionpolicies`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'owners' },
      spec: {
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: ['test.dev'],
              apiVersions: ['*'],
              operations: ['CREATE', 'UPDATE', 'DELETE'],
              resources: ['widgets'],
            },
          ],
        },
        variables: [
          { name: 'mine', expression: 'has(object.spec.owner) && object.spec.owner == request.userInfo.username' },
        ],
        validations: [
          {
            expression:
              "request.operation == 'DELETE' || variables.mine || authorizer.group('test.dev').resource('widgets').namespace(request.namespace).check('lend').allowed()",
            messageExpression: "'the owner is ' + request.userInfo.username",
            reason: 'Forbidden',
          },
          { expression: "request.operation != 'DELETE' || oldObject.spec.size < 8" },
        ],
      },
    })
    await call('POST', `${group}/validatingadmissionpolicybindings`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'owners' },
      spec: { policyName: 'owners', validationActions: ['Deny'] },
    })
    const user = cluster.addUser('ann', { groups: ['team'] })
    const asAnn = (method: string, path: string, body?: unknown) =>
      raw(user, method, path, body === undefined ? {} : { body })
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
    await call('POST', `${rbac}/roles`, {
      metadata: { name: 'w' },
      rules: [{ apiGroups: ['test.dev'], resources: ['widgets'], verbs: ['create', 'delete'] }],
    })
    await call('POST', `${rbac}/rolebindings`, {
      metadata: { name: 'w' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'w' },
      subjects: [{ kind: 'Group', name: 'team', apiGroup: 'rbac.authorization.k8s.io' }],
    })
    expect((await asAnn('POST', widgetsPath, widget('hers', { size: 9, owner: 'ann' }))).status).toBe(201)
    expect((await asAnn('POST', widgetsPath, widget('his', { size: 3, owner: 'bob' }))).body).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: `widgets.test.dev "his" is forbidden: ValidatingAdmissionPolicy 'owners' with binding 'owners' denied request: the owner is ann`,
    })
    expect((await call('POST', widgetsPath, widget('lent', { size: 3, owner: 'bob' }))).status).toBe(201)
    expect((await asAnn('DELETE', `${widgetsPath}/hers`)).body).toMatchObject({
      code: 422,
      message: expect.stringContaining('failed expression: request.operation'),
    })
  })
})

describe('who may what', () => {
  test('a user without rights is refused in the API server’s words', async () => {
    const user = cluster.addUser('carol')
    const as = (method: string, path: string, body?: unknown) =>
      raw(user, method, path, body === undefined ? {} : { body })
    expect((await as('GET', `${servicesPath}/x`)).body).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message:
        'services "x" is forbidden: User "carol" cannot get resource "services" in API group "" in the namespace "default"',
      details: { name: 'x', kind: 'services' },
    })
    expect((await as('GET', '/api/v1/nodes')).body.message).toBe(
      'nodes is forbidden: User "carol" cannot list resource "nodes" in API group "" at the cluster scope',
    )
    expect((await as('GET', '/api/v1/namespaces/default/pods/p:80/proxy/')).body.message).toBe(
      'pods "p:80" is forbidden: User "carol" cannot get resource "pods/proxy" in API group "" in the namespace "default"',
    )
    const me = await as('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
    })
    expect(dig(me.body, 'status', 'userInfo')).toEqual({ username: 'carol', groups: ['system:authenticated'] })
    const may = (body: Dict) =>
      as('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: { resourceAttributes: body } })
    expect(dig((await may({ verb: 'get', resource: 'pods', namespace: 'default' })).body, 'status', 'allowed')).toBe(
      false,
    )
  })

  test('aggregated roles, resource names and service accounts', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    const subject = { kind: 'User', name: 'dave', apiGroup: 'rbac.authorization.k8s.io' }
    await call('POST', `${rbac}/clusterroles`, {
      metadata: { name: 'more', labels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } },
      rules: [{ apiGroups: ['test.dev'], resources: ['widgets'], resourceNames: ['only'], verbs: ['get'] }],
    })
    await call('POST', `${rbac}/namespaces/default/rolebindings`, {
      metadata: { name: 'dave' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [subject],
    })
    const user = cluster.addUser('dave')
    expect((await raw(user, 'GET', configMaps)).status).toBe(200)
    expect((await raw(user, 'GET', '/api/v1/namespaces/kube-system/configmaps')).status).toBe(403)
    expect((await raw(user, 'GET', `${widgetsPath}/other`)).status).toBe(403)
    expect((await raw(user, 'GET', `${widgetsPath}/only`)).status).toBe(404)

    const issued = await call('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', { spec: {} })
    const token = dig(issued.body, 'status', 'token')
    const review = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })
    expect(review.body.status).toMatchObject({
      authenticated: true,
      user: {
        username: 'system:serviceaccount:default:default',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      },
    })
    expect(review.body.status).toMatchObject({ audiences: ['https://kubernetes.default.svc.cluster.local'] })
    const wrong = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'x.y.z' } })
    expect(wrong.body.status).toEqual({ user: {}, error: 'invalid bearer token' })
    expect(
      (await call('GET', configMaps, undefined, { headers: { authorization: 'Bearer wrong' } })).body,
    ).toMatchObject({ code: 401, reason: 'Unauthorized' })
  })
})

test('a token is for its audience, and for as long as was asked', async () => {
  const path = '/api/v1/namespaces/default/serviceaccounts/default/token'
  const issued = await call('POST', path, { spec: { audiences: ['vault'], expirationSeconds: 600 } })
  expect(issued.body).toMatchObject({ spec: { audiences: ['vault'], expirationSeconds: 600 } })
  const expires = Date.parse(String(dig(issued.body, 'status', 'expirationTimestamp'))) - Date.now()
  expect(expires).toBeGreaterThan(590_000)
  expect(expires).toBeLessThan(601_000)
  const token = dig(issued.body, 'status', 'token')
  expect((await call('GET', '/api', undefined, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
  const reviewed = async (audiences: string[]) =>
    (await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token, audiences } })).body.status
  expect(await reviewed(['other', 'vault'])).toMatchObject({ authenticated: true, audiences: ['vault'] })
  expect(await reviewed([])).toEqual({ user: {}, error: 'invalid bearer token' })

  expect((await call('POST', path, { spec: { expirationSeconds: 599 } })).body).toMatchObject({
    code: 422,
    message:
      'TokenRequest.authentication.k8s.io "default" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
  })
  const bound = (boundObjectRef: object) => call('POST', path, { spec: { boundObjectRef } })
  expect((await bound({ kind: 'Pod', name: 'none' })).body).toMatchObject({ code: 404 })
})

test('a paused API server refuses connections and ends open ones; then it is there again at the same address', async () => {
  const watching = call('GET', `${configMaps}?watch=1`)
  await call('GET', '/version')
  const broken = expect(watching).rejects.toThrow(/ECONNRESET|aborted|hang up/)
  await cluster.pauseApi()
  await broken
  await expect(call('GET', '/version')).rejects.toThrow('ECONNREFUSED')
  await cluster.resumeApi()
  expect((await call('GET', '/version')).body.gitVersion).toContain('v1.34')
})

test('a stalled API server answers nothing and breaks nothing', async () => {
  const kube = await connectKube({ kubeconfig: cluster.kubeconfigPath })
  await createConfigMap('stalled')
  const informer = kube.inform(configMapType, { namespace: 'default', fieldSelector: 'metadata.name=stalled' })
  await informer.synced
  const before = informer.list()[0]?.metadata.resourceVersion
  const changed = new Promise<void>((resolve) => informer.onChange(resolve))
  await cluster.pauseApi('stall')
  let answered = false
  const version = call('GET', '/version').then(
    () => {
      answered = true
    },
    () => undefined,
  )
  const patched = kube.patch(configMapType, 'default', 'stalled', { data: { b: '2' } }, { type: 'merge' })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(answered).toBe(false)
  expect(informer.list()[0]?.metadata.resourceVersion).toBe(before)
  await cluster.resumeApi()
  await Promise.allSettled([version, patched])
  await kube.patch(configMapType, 'default', 'stalled', { data: { c: '3' } }, { type: 'merge' })
  await changed
  informer.stop()
})
