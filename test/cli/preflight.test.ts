import { describe, expect, test } from 'vitest'
import { preflight } from '../../cli/agent/preflight.ts'
import { parseTarget } from '../../cli/agent/target.ts'
import { KubeError } from '../../src/kube/error.ts'
import { secrets, services } from '../../src/kube/resources.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import type { Claimed } from '../../src/takeover/acceptance.ts'
import { interceptOf, serviceOf } from '../proxy-pod/support/objects.ts'
import { FakeKube } from './support/fake-kube.ts'

function cluster(...intercepts: Intercept[]): FakeKube {
  const kube = new FakeKube()
  kube.put(
    services,
    serviceOf({
      ports: [
        { name: 'http', port: 80 },
        { name: 'debug', port: 9229 },
      ],
    }),
  )
  for (const intercept of intercepts) kube.put(interceptType, intercept)
  return kube
}

const check = (kube: FakeKube, port = { local: 8080, remote: 'http' }) =>
  preflight(kube, 'shop', parseTarget('svc/orders'), [port])

const refuses = (plural: string, error: KubeError) => (verb: string, type: { plural: string }) => {
  if (type.plural === plural && verb !== 'create') throw error
}

describe('before anything is changed', () => {
  test('everything is well: the Service, its ports, and who asks', async () => {
    expect(await check(cluster())).toMatchObject({
      service: { metadata: { name: 'orders' } },
      ports: [{ port: 80, name: 'http', local: 8080 }],
      holder: 'ada',
    })
  })

  test('it only reads', async () => {
    const kube = cluster()
    await check(kube)
    expect(kube.asked.filter((one) => !/^(get|list) /.test(one))).toEqual([])
  })

  test('a cluster without intercept', async () => {
    const kube = cluster()
    kube.before = refuses('intercepts', new KubeError('not-found', 'no such resource', { status: 404 }))
    await expect(check(kube)).rejects.toMatchObject({ code: 'not-installed', fix: 'intercept install' })
  })

  test('a Service that does not exist comes before everything else', async () => {
    const kube = new FakeKube()
    kube.before = refuses('intercepts', new KubeError('not-found', 'no such resource', { status: 404 }))
    await expect(check(kube)).rejects.toMatchObject({ code: 'service-not-found' })
  })

  test('a Secret for TLS: is there, and has both halves; who may not look is not stopped here', async () => {
    const kube = cluster()
    const wanted: Claimed = { mode: 'intercept', match: {}, tls: { secretName: 'orders-tls', toLocal: false } }
    const look = () => preflight(kube, 'shop', parseTarget('svc/orders'), [{ local: 8080, remote: 'http' }], wanted)
    await expect(look()).rejects.toMatchObject({ code: 'secret-not-found' })
    const metadata = { name: 'orders-tls', namespace: 'shop' }
    kube.put(secrets, { metadata, data: { 'tls.crt': 'eA==' } })
    await expect(look()).rejects.toMatchObject({
      code: 'unusable-secret',
      message: 'Secret shop/orders-tls has no tls.key: it is not of type kubernetes.io/tls',
    })
    kube.put(secrets, { metadata, data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' } })
    await look()
    kube.before = refuses('secrets', new KubeError('forbidden', 'no', { status: 403 }))
    await look()
  })

  test('rights that are missing are named as the API server named them', async () => {
    const kube = cluster()
    const forbidden = new KubeError('forbidden', 'User ada may not list intercepts.intercept.dev in namespace shop.')
    kube.before = refuses('intercepts', forbidden)
    await expect(check(kube)).rejects.toBe(forbidden)
  })

  test.each([
    ['service-external-name', { type: 'ExternalName', externalName: 'db.example.com' }],
    ['service-without-selector', { selector: {} }],
    ['service-local-traffic', { internalTrafficPolicy: 'Local' }],
    ['service-local-traffic', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }],
  ] as const)('%s', async (code, spec) => {
    const kube = cluster()
    kube.put(services, serviceOf(spec))
    await expect(check(kube)).rejects.toMatchObject({ code, fix: expect.any(String) })
  })
})

describe('somebody else holds the port', () => {
  const bobs = interceptOf({ name: 'orders-bob', spec: { holder: 'bob@example.com' } })

  test('the message has the name and since when; the fix is a person, then a command', async () => {
    await expect(check(cluster(bobs))).rejects.toMatchObject({
      code: 'already-intercepted',
      message: expect.stringMatching(
        /bob@example\.com \(on lovelace\) since 2026-01-01T10:00:00Z, Intercept orders-bob$/,
      ),
      fix: 'talk to bob@example.com, or, with the right to: intercept revoke orders-bob -n shop',
    })
  })

  test('it is oneself, from another terminal', async () => {
    await expect(check(cluster(interceptOf({ name: 'orders-ada' })))).rejects.toMatchObject({
      code: 'already-intercepted',
      fix: expect.stringContaining('intercept leave orders-ada -n shop'),
    })
  })

  test('they share a request: which one, and the command that would work', async () => {
    const hers = interceptOf({ name: 'orders-bob', spec: { holder: 'bob', match: { as: 'bob' } } })
    const wanted: Claimed = { mode: 'intercept', match: { paths: [{ prefix: '/orders' }] } }
    const asked = preflight(cluster(hers), 'shop', parseTarget('svc/orders'), [{ local: 8080, remote: 'http' }], wanted)
    await expect(asked).rejects.toMatchObject({
      code: 'already-intercepted',
      message: expect.stringMatching(/Intercept orders-bob: both match GET \/orders with x-intercept: bob$/),
      fix: "intercept svc/orders -n shop --port 8080:http --as ada --path '/orders*'",
    })
  })

  test('beside a header of somebody the same header works', async () => {
    const match = { headers: [{ name: 'x-user', equals: 'bob' }] }
    const hers = interceptOf({ name: 'orders-bob', spec: { holder: 'bob', match } })
    await expect(check(cluster(hers))).rejects.toMatchObject({
      fix: 'intercept svc/orders -n shop --port 8080:http --header x-user=ada',
    })
  })

  test('two that share no request are no conflict', async () => {
    const hers = interceptOf({ name: 'orders-bob', spec: { holder: 'bob', match: { as: 'bob' } } })
    const wanted: Claimed = { mode: 'intercept', match: { as: 'ada' } }
    const asked = preflight(cluster(hers), 'shop', parseTarget('svc/orders'), [{ local: 8080, remote: 'http' }], wanted)
    await expect(asked).resolves.toMatchObject({ holder: 'ada' })
  })

  test.each<[string, Intercept]>([
    ['another port', interceptOf({ spec: { holder: 'bob', ports: [{ port: 9229 }] } })],
    ['another Service', interceptOf({ spec: { holder: 'bob', service: 'stock' } })],
    ['one that was refused itself', interceptOf({ spec: { holder: 'bob' }, status: { phase: 'Failed' } })],
  ])('is no conflict: %s', async (_name, other) => {
    await expect(check(cluster(other))).resolves.toMatchObject({ holder: 'ada' })
  })

  test('is no conflict: one that is going', async () => {
    const going = interceptOf({ spec: { holder: 'bob' } })
    going.metadata.deletionTimestamp = '2026-01-01T11:00:00Z'
    await expect(check(cluster(going))).resolves.toMatchObject({ holder: 'ada' })
  })
})
