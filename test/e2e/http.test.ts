import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { configMaps, deployments, services } from '../../src/kube/resources.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { startLocalApp } from './support/local-app.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { until } from './support/until.ts'
import { deploy, expose, podsOf } from './support/workload.ts'

const ports = [
  { name: 'http', port: 80, targetPort: 'http' },
  { name: 'grpc', port: 9002, targetPort: 'grpc' },
]
const s = scenario({ web: {}, orders: { ports }, inventory: {} })
const origin = /^orders-/
const http = () => `${s.local.ports.http}:http`

afterEach(async () => {
  await s.endRuns()
  await expectAsBefore(s.kube, s.namespace, s.before)
}, 60_000)

const ask = async (headers: Record<string, string>, more: { path?: string; method?: string } = {}): Promise<string> =>
  (await s.caller.get({ ...(await s.at('orders')), headers, ...more })).who

/** Names of who answers, from the first service to the last, which `last` is another way to. */
async function chain(baggage: string | undefined, last?: string): Promise<string[]> {
  const [orders, inventory] = await Promise.all(
    ['orders', 'inventory'].map(async (name) => {
      const { host, port } = await s.at(name)
      return `http://${host}:${port}`
    }),
  )
  const path = `/via?next=${orders}&next=${last ?? inventory}`
  const headers = baggage === undefined ? {} : { baggage }
  const { body } = await s.caller.get({ ...(await s.at('web')), path, headers })
  return (JSON.parse(body) as { chain: string[] }).chain
}

/** Waits until requests with these headers reach `who`, eight times in a row. */
async function reached(headers: Record<string, string>, who: string | RegExp): Promise<void> {
  let inRow = 0
  await until(`${JSON.stringify(headers)} answered by ${who}`, async () => {
    const answer = await ask(headers)
    inRow = (typeof who === 'string' ? answer === who : who.test(answer)) ? inRow + 1 : 0
    return inRow >= 8
  })
}

test('two people share the middle one of three services, each by her name in the baggage', async () => {
  const bob = await startLocalApp('bob', s.cluster.driver.laptop)
  try {
    const { run: ofAda, active } = await s.intercept('svc/orders', '--port', http(), '--as', 'ada')
    const { run: ofBob } = await s.intercept('svc/orders', '--port', `${bob.ports.http}:http`, '--as', 'bob')
    expect(active).toMatchObject({ match: 'as ada' })
    await reached({ 'x-intercept': 'ada' }, 'laptop')
    await reached({ 'x-intercept': 'bob' }, 'bob')
    // The laptop's own way to the third one.
    const way = s.cli('preview', 'svc/inventory', '--as', 'ada')
    const inventory = String((await way.until('active')).url)
    expect(await chain('userId=7,intercept=ada;ttl=1', inventory)).toEqual([origin, 'laptop', origin].map(matching))
    expect(await chain('intercept=bob', inventory)).toEqual([origin, 'bob', origin].map(matching))
    expect(await way.interrupt()).toBe(0)
    expect(await chain('intercept=eve')).toEqual([origin, origin, origin].map(matching))
    expect(await chain(undefined)).toEqual([origin, origin, origin].map(matching))
    expect(await ofAda.interrupt()).toBe(0)
    // The other one is not disturbed.
    expect(await ask({ 'x-intercept': 'bob' })).toBe('bob')
    expect(await ask({ 'x-intercept': 'ada' })).toMatch(origin)
    expect(await ofBob.interrupt()).toBe(0)
  } finally {
    await bob.stop()
  }
})

const matching = (who: string | RegExp) => (typeof who === 'string' ? who : expect.stringMatching(who))

describe('a request is hers by', () => {
  const cases: [flags: string[], hers: Parameters<typeof ask>[], others: Parameters<typeof ask>[]][] = [
    [
      ['--header', 'x-user=ada', '--header', 'x-user~b[eo]b'],
      [[{ 'x-user': 'ada' }], [{ 'X-User': 'bob' }]],
      [[{}], [{ 'x-user': 'Ada' }], [{ 'x-user': 'bobby' }]],
    ],
    [
      ['--header', 'x-debug', '--method', 'POST', '--method', 'PUT'],
      [
        [{ 'x-debug': '' }, { method: 'POST' }],
        [{ 'x-debug': '1' }, { method: 'PUT' }],
      ],
      [[{ 'x-debug': '1' }], [{}, { method: 'POST' }]],
    ],
    [
      ['--path', '/orders', '--path', '/carts/*', '--path', '~/v[12]/.*'],
      [
        [{}, { path: '/orders?x=1' }],
        [{}, { path: '/carts/7' }],
        [{}, { path: '/v2/a' }],
      ],
      [
        [{}, { path: '/orders/1' }],
        [{}, { path: '/carts' }],
        [{}, { path: '/v3/a' }],
      ],
    ],
    [
      ['--query', 'user=ada', '--host', '*.shop.example'],
      [[{ host: 'a.shop.example:80' }, { path: '/?x=1&user=ada' }]],
      [
        [{ host: 'a.shop.example' }, { path: '/?user=bob' }],
        [{ host: 'shop.example' }, { path: '/?user=ada' }],
      ],
    ],
  ]

  test.each(cases)('%j', async (flags, hers, others) => {
    const { run } = await s.intercept('svc/orders', '--port', http(), ...flags)
    await s.propagated('orders')
    for (const request of hers) expect(await ask(...request), JSON.stringify(request)).toBe('laptop')
    for (const request of others) expect(await ask(...request), JSON.stringify(request)).toMatch(origin)
    expect(await run.interrupt()).toBe(0)
  })
})

test('two that could match one request do not both get in; the refusal says which, and what would work', async () => {
  const { run } = await s.intercept('svc/orders', '--port', http(), '--as', 'ada')
  const second = s.cli('svc/orders', '--port', http(), '--header', 'x-user=bob')
  const { error } = (await second.until('error')) as unknown as {
    error: { code: string; message: string; fix: string }
  }
  expect(error.code).toBe('already-intercepted')
  expect(error.message).toMatch(/x-intercept: ada.*x-user: bob|x-user: bob.*x-intercept: ada/)
  expect((await second.ended).code).not.toBe(0)
  // What it says to type works.
  expect(error.fix).toMatch(/^intercept svc\/orders .*--as /)
  const { run: third } = await s.intercept(...error.fix.split(' ').slice(1))
  expect(await third.interrupt()).toBe(0)
  expect(await run.interrupt()).toBe(0)
})

test('a share of the clients, always the same ones', async () => {
  const { run } = await s.intercept('svc/orders', '--port', http(), '--percent', '30:x-user')
  await s.propagated('orders')
  const total = 400
  const answers = await s.caller.call<string[]>('askAll', {
    ...(await s.at('orders')),
    headers: Array.from({ length: total }, (_, user) => ({ 'x-user': `user-${user}` })),
  })
  const hers = answers.filter((who) => who === 'laptop').length
  // Five standard deviations.
  const deviation = Math.sqrt(total * 0.3 * 0.7)
  expect(Math.abs(hers - total * 0.3)).toBeLessThan(5 * deviation)
  const again = await s.caller.call<string[]>('askAll', {
    ...(await s.at('orders')),
    headers: Array.from({ length: 50 }, (_, user) => ({ 'x-user': `user-${user}` })),
  })
  expect(again.map((who) => who === 'laptop')).toEqual(answers.slice(0, 50).map((who) => who === 'laptop'))
  expect(await run.interrupt()).toBe(0)
})

test('gRPC by its method', async () => {
  const at = await s.at('orders', 9002)
  const { run } = await s.intercept('svc/orders', '--port', `${s.local.ports.grpc}:grpc`, '--grpc', 'test.Echo/Unary')
  await until('the unary call', async () => (await grpc(at)).unary.answer === 'laptop: hello')
  await s.propagated('orders')
  const result = await grpc(at)
  expect(result.unary).toEqual({ answer: 'laptop: hello', code: 0, details: '', trailer: 'laptop' })
  expect(result.failed).toMatchObject({ code: 9, details: expect.stringMatching(/^orders-.* will not do it$/) })
  expect(result).toMatchObject({ late: { code: 4 }, cancelled: 1, listed: 100 })
  expect(result.firstListed).toMatch(origin)
  expect(result.chatted).toHaveLength(5)
  expect(result.chatted[0]).toMatch(/^orders-.*: line 0$/)
  expect(await run.interrupt()).toBe(0)
})

interface GrpcResult {
  unary: { answer?: string; code: number; details: string; trailer?: string }
  failed: { code: number; details: string }
  late: { code: number }
  cancelled: number
  listed: number
  firstListed: string
  chatted: string[]
}

const grpc = (at: { host: string; port: number }) => s.caller.call<GrpcResult>('grpc', at)

test('a mirror gets copies; the cluster answers, and no slower for it', async () => {
  const at = await s.at('orders')
  const slow = await startLocalApp('slow', s.cluster.driver.laptop, undefined, { DELAY_MS: '3000' })
  const figures: Record<string, { copied: number; plain: number }> = {}
  const locals = { quick: http(), slow: `${slow.ports.http}:http`, dead: '1:http' }
  for (const [name, port] of Object.entries(locals)) {
    const { run } = await s.intercept('svc/orders', '--port', port, '--mirror', '--header', 'x-copy')
    await s.propagated('orders')
    expect(await ask({ 'x-copy': '1' })).toMatch(origin)
    if (name === 'quick') {
      await s.caller.get({ ...at, method: 'POST', path: '/copied', body: 'beans', headers: { 'x-copy': '1' } })
      await until('the copy', async () => s.local.seen.includes('POST /copied beans'))
    }
    // One with, one without, in turn: the machine's own moods are in both.
    const [copied = 0, plain = 0] = await s.caller.call<number[]>('latencies', {
      ...at,
      count: 300,
      headers: [{ 'x-copy': '1' }, {}],
    })
    figures[name] = { copied, plain }
    expect(await run.interrupt()).toBe(0)
  }
  await slow.stop()
  for (const [name, { copied, plain }] of Object.entries(figures)) {
    console.log(`mirror to a ${name} local process: p50 ${copied.toFixed(2)} ms, without ${plain.toFixed(2)} ms`)
    // A quick one answers its copies meanwhile, here on the processors of the cluster.
    if (name !== 'quick') expect(copied / plain, name).toBeLessThan(2)
  }
})

test('hold: requests wait for a local process that starts again', async () => {
  const local = await startLocalApp('again', s.cluster.driver.laptop)
  const { run } = await s.intercept(
    ...['svc/orders', '--port', `${local.ports.http}:http`, '--as', 'ada'],
    ...['--on-local-down', 'hold', '--hold', '20s'],
  )
  await reached({ 'x-intercept': 'ada' }, 'again')
  await local.stop()
  const waiting = ask({ 'x-intercept': 'ada' })
  expect(await ask({})).toMatch(origin)
  const restarted = await startLocalApp('again', s.cluster.driver.laptop, local.ports)
  try {
    expect(await waiting).toBe('again')
    expect(await run.interrupt()).toBe(0)
  } finally {
    await restarted.stop()
  }
})

test('fail: a request whose local process is down is told so, the others are not', async () => {
  const { run, active } = await s.intercept('svc/orders', '--port', '1:http', '--as', 'ada', '--on-local-down', 'fail')
  await s.propagated('orders')
  await until('a refusal', async () => {
    const { status, body } = await s.caller.get({ ...(await s.at('orders')), headers: { 'x-intercept': 'ada' } })
    return status === 502 && body.includes(String(active.intercept))
  })
  expect(await ask({})).toMatch(origin)
  expect(await run.interrupt()).toBe(0)
})

test.each([
  ['HTTP/1.1 keep-alive', false],
  ['HTTP/2', true],
])(
  '20 takeovers with two filtered intercepts under %s load: no request fails',
  { timeout: 240_000 },
  async (_, http2) => {
    const at = await s.at('orders', http2 ? 9002 : 80)
    const [ada, bob] = ['ada', 'bob'].map((name) => ({ 'x-intercept': name }))
    const loads = await Promise.all(
      [ada, bob, {}].map((headers) =>
        s.caller.load({ ...at, headers: headers ?? {}, everyMs: 25, keepAlive: true, connections: 4, http2 }),
      ),
    )
    const port = http2 ? `${s.local.ports.grpc}:grpc` : `${s.local.ports.http}:http`
    for (let round = 0; round < 10; round += 1) {
      const [first, second] = await Promise.all([
        s.intercept('svc/orders', '--port', port, '--as', 'ada'),
        s.intercept('svc/orders', '--port', port, '--as', 'bob'),
      ])
      expect(await Promise.all([first.run.interrupt(), second.run.interrupt()])).toEqual([0, 0])
    }
    for (const load of loads) {
      const result = await load.stop()
      expect(result.errors).toEqual({})
      expect(result.ok).toBe(result.sent)
    }
  },
)

describe('a workload of the cluster answers, with no laptop', () => {
  const leave = async (name: string) => expect((await s.cli('leave', name).ended).code).toBe(0)

  test('by --to and --detach, until somebody ends it', async () => {
    await deploy(s.kube, s.namespace, 'pr', { script: 'app' })
    await expose(s.kube, s.namespace, 'orders-pr-7', { selector: { app: 'pr' } })
    const run = s.cli('svc/orders', '--to', 'svc/orders-pr-7', '--port', 'http', '--as', 'pr-7', '--detach')
    const active = await run.until('active')
    expect(active.to).toMatchObject({ kind: 'Service', name: 'orders-pr-7' })
    expect((await run.ended).code).toBe(0)
    await reached({ 'x-intercept': 'pr-7' }, /^pr-/)
    expect(await ask({})).toMatch(origin)
    const [kept] = await s.kube.list<Intercept>(interceptType, { namespace: s.namespace })
    expect(kept?.spec).toMatchObject({ to: { kind: 'Service', name: 'orders-pr-7' }, match: { as: 'pr-7' } })
    expect(kept?.spec.publicKey).toBeUndefined()
    // The workload goes: the cluster answers.
    await s.kube.delete(deployments, s.namespace, 'pr')
    await reached({ 'x-intercept': 'pr-7' }, origin)
    await leave(String(active.intercept))
    await s.kube.delete(services, s.namespace, 'orders-pr-7')
    await s.kube.delete(configMaps, s.namespace, 'pr-script')
  })

  test('by an object from a file, for its time', async () => {
    const [pod] = await podsOf(s.kube, s.namespace, 'orders')
    const name = pod?.metadata.name ?? ''
    const file = join(temporaryFolder(), 'preview.yaml')
    const spec = `service: orders\n  ports: [{port: 80, name: http}]\n  to: {kind: Pod, name: ${name}, port: 8080}\n  match: {as: pod}`
    writeFileSync(
      file,
      `apiVersion: intercept.dev/v1alpha1\nkind: Intercept\nmetadata: {name: one}\nspec:\n  ${spec}\n  ttlSeconds: 10\n`,
    )
    const create = s.cliHere('create', '-f', file)
    await create.until('active')
    expect((await create.ended).code).toBe(0)
    await reached({ 'x-intercept': 'pod' }, name)
    await until('its end', async () => (await s.kube.find(interceptType, s.namespace, 'one')) === undefined)
  })

  test.each([
    ['svc/nothing', 'workload-not-found'],
    ['svc/orders', 'usage'],
    ['deploy/orders', 'usage'],
    ['svc/inventory:81', 'workload-not-found'],
  ])('but not by --to %s', async (to, code) => {
    const run = s.cli('svc/orders', '--to', to, '--port', 'http')
    const { error } = (await run.until('error')) as unknown as { error: { code: string; fix: string } }
    expect(error).toMatchObject({ code, fix: expect.any(String) })
    expect((await run.ended).code).not.toBe(0)
  })
})
