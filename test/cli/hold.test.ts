import { afterEach, describe, expect, test } from 'vitest'
import { Hold } from '../../cli/agent/hold.ts'
import { type Intercept, type InterceptStatus, interceptType } from '../../src/resource/intercept.ts'
import { parseIntercept } from '../../src/resource/parse.ts'
import { generateKeys } from '../../src/tunnel/index.ts'
import { serviceOf } from '../proxy-pod/support/objects.ts'
import { FakeKube } from './support/fake-kube.ts'

const held: Hold[] = []
const { publicKey } = generateKeys()
afterEach(() => {
  for (const hold of held.splice(0)) hold.stop()
})

async function create(kube: FakeKube, holder = 'ada@example.com', service = serviceOf()): Promise<Hold> {
  const hold = await Hold.create(kube, {
    service,
    publicKey,
    mode: 'intercept',
    ports: [{ port: 80, name: 'http', local: 8080 }],
    holder,
    onLocalDown: 'origin',
    holdSeconds: 10,
    ttlSeconds: 900,
  })
  held.push(hold)
  return hold
}

const stored = (kube: FakeKube, hold: Hold): Intercept =>
  kube.peek<Intercept>(interceptType, 'shop', hold.name) as Intercept

function setStatus(kube: FakeKube, hold: Hold, status: InterceptStatus): void {
  kube.put(interceptType, { ...stored(kube, hold), status })
}

const condition = (type: string, status: 'True' | 'False', reason: string, message = '') => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T10:00:00Z',
})

const waiting = (): AbortSignal => AbortSignal.timeout(4_000)

describe('the Intercept that is made', () => {
  test('is valid, and says who holds what with which key', async () => {
    const kube = new FakeKube()
    const hold = await create(kube)
    const intercept = parseIntercept(structuredClone(stored(kube, hold)))
    expect(intercept.spec).toMatchObject({
      service: 'orders',
      ports: [{ port: 80, name: 'http' }],
      holder: 'ada@example.com',
      publicKey,
    })
  })

  test.each([
    ['ada@example.com', /^orders-ada-[0-9a-f]{5}$/],
    ['oidc:https://issuer/Ada.Lovelace@example.com', /^orders-ada-lovelace-[0-9a-f]{5}$/],
    ['system:serviceaccount:ci:runner', /^orders-runner-[0-9a-f]{5}$/],
    ['CORP\\ada', /^orders-ada-[0-9a-f]{5}$/],
    ['注文', /^orders-[0-9a-f]{5}$/],
    ['@', /^orders-[0-9a-f]{5}$/],
    ['x'.repeat(300), /^orders-x{20}-[0-9a-f]{5}$/],
  ])('has a name that people and the API server can read: %s', async (holder, name) => {
    expect((await create(new FakeKube(), holder)).name).toMatch(name)
  })

  test('of a Service with the longest name still has a name that fits', async () => {
    const hold = await create(new FakeKube(), 'ada', serviceOf({}, 'x'.repeat(63)))
    expect(hold.name.length).toBeLessThanOrEqual(63)
  })

  test('has another name each time', async () => {
    const kube = new FakeKube()
    const [one, two] = [await create(kube), await create(kube)]
    expect(one.name).not.toBe(two.name)
  })
})

describe('waiting for the takeover', () => {
  test('ends when the Service is taken over', async () => {
    const kube = new FakeKube()
    const hold = await create(kube)
    const taken = hold.takenOver(waiting())
    setStatus(kube, hold, { phase: 'TakingOver', conditions: [condition('TakenOver', 'False', 'wait')] })
    setStatus(kube, hold, { phase: 'Pending', conditions: [condition('TakenOver', 'True', 'TakenOver')] })
    await expect(taken).resolves.toMatchObject({ status: { phase: 'Pending' } })
  })

  test.each([
    ['Conflict', 'already-intercepted', expect.stringMatching(/^intercept status orders -n shop$/)],
    ['HeadlessPortInUse', 'headless-port-in-use', undefined],
    ['NoSuchService', 'service-not-found', undefined],
    ['NoSuchPort', 'no-such-port', undefined],
    ['SomethingNew', 'not-accepted', undefined],
  ])('ends with the reason where it is refused: %s', async (reason, code, fix) => {
    const kube = new FakeKube()
    const hold = await create(kube)
    const taken = hold.takenOver(waiting())
    setStatus(kube, hold, {
      phase: 'Failed',
      message: 'held by bob since yesterday',
      conditions: [condition('Accepted', 'False', reason)],
    })
    await expect(taken).rejects.toMatchObject({ code, message: 'held by bob since yesterday', fix })
  })

  test('ends where somebody deletes it meanwhile', async () => {
    const kube = new FakeKube()
    const hold = await create(kube)
    const taken = hold.takenOver(waiting())
    kube.remove(interceptType, 'shop', hold.name)
    await expect(taken).rejects.toMatchObject({ code: 'revoked' })
  })

  test('ends with Ctrl-C', async () => {
    const hold = await create(new FakeKube())
    const stop = new AbortController()
    const taken = hold.takenOver(stop.signal)
    stop.abort(new Error('Ctrl-C'))
    await expect(taken).rejects.toThrow('Ctrl-C')
  })
})

describe('the end', () => {
  test('by somebody else is noticed', async () => {
    const kube = new FakeKube()
    const hold = await create(kube)
    const ended = hold.ended(waiting())
    kube.remove(interceptType, 'shop', hold.name)
    await expect(ended).resolves.toBeUndefined()
  })

  test('is noticed also where another of the same name is made at once', async () => {
    const kube = new FakeKube()
    const hold = await create(kube)
    const ended = hold.ended(waiting())
    const other = stored(kube, hold)
    other.metadata.uid = 'another'
    kube.put(interceptType, other)
    await expect(ended).resolves.toBeUndefined()
    expect(hold.current).toBeUndefined()
  })

  test('by oneself deletes only what one made', async () => {
    const kube = new FakeKube()
    const hold = await create(kube)
    const other = stored(kube, hold)
    other.metadata.uid = 'another'
    kube.put(interceptType, other)
    await hold.leave()
    expect(stored(kube, hold).metadata.uid).toBe('another')
  })

  test('by oneself is not taken for a revocation', async () => {
    const kube = new FakeKube()
    const hold = await create(kube)
    const stop = new AbortController()
    const ended = hold.ended(stop.signal)
    await hold.leave()
    expect(kube.peek(interceptType, 'shop', hold.name)).toBeUndefined()
    stop.abort(new Error('nothing happened'))
    await expect(ended).rejects.toThrow('nothing happened')
  })
})
