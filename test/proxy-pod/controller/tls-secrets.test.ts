import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TlsSecrets, tlsSecretLimits } from '../../../proxy-pod/controller/tls-secrets.ts'
import { KubeError } from '../../../src/kube/error.ts'
import { secrets } from '../../../src/kube/resources.ts'
import { FakeKube } from '../../cli/support/fake-kube.ts'
import { certificateFor } from '../support/tls.ts'

const silent = { info: () => undefined, warn: () => undefined }
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const one = await certificateFor('one')
const two = await certificateFor('two')

const putSecret = (kube: FakeKube, { cert, key }: { cert: string; key: string }) =>
  kube.put(secrets, {
    metadata: { name: 'orders-tls', namespace: 'shop' },
    data: { 'tls.crt': base64(cert), 'tls.key': base64(key) },
  })

let kube: FakeKube
let held: TlsSecrets
beforeEach(() => {
  vi.useFakeTimers()
  kube = new FakeKube()
  held = new TlsSecrets(kube, silent)
})
afterEach(() => {
  held.retain([])
  vi.useRealTimers()
})

const trouble = () => held.trouble('shop', 'orders-tls')
const certificate = () => held.certificate('shop', 'orders-tls')
const later = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a Secret', () => {
  test('is read once for all who name it', async () => {
    putSecret(kube, one)
    expect(await trouble()).toBeUndefined()
    expect(certificate()).toBeDefined()
    expect(certificate()).toBe(certificate())
    expect(kube.asked).toEqual([expect.stringContaining('get secrets')])
  })

  test('is there before anybody has asked twice: the first look has none', () => {
    putSecret(kube, one)
    expect(certificate()).toBeUndefined()
  })

  test('that is renewed is taken over, one that stays is kept', async () => {
    putSecret(kube, one)
    await trouble()
    const first = certificate()
    await later(tlsSecretLimits.rereadMs)
    expect(certificate()).toBe(first)
    putSecret(kube, two)
    await later(tlsSecretLimits.rereadMs)
    expect(certificate()).toBeDefined()
    expect(certificate()).not.toBe(first)
  })

  test('that is not there yet is found soon after it is', async () => {
    expect(await trouble()).toEqual({ reason: 'NoSuchSecret', message: 'Secret shop/orders-tls does not exist' })
    putSecret(kube, one)
    await later(tlsSecretLimits.retryMs)
    expect(await trouble()).toBeUndefined()
    expect(certificate()).toBeDefined()
  })

  test('that may not be read', async () => {
    putSecret(kube, one)
    kube.before = () => {
      throw new KubeError('forbidden', 'no', { status: 403 })
    }
    expect(await trouble()).toEqual({
      reason: 'Forbidden',
      message: 'the proxy pods may not read Secret shop/orders-tls',
    })
    expect(certificate()).toBeUndefined()
  })

  test.each([
    ['with the key of another', { cert: one.cert, key: two.key }],
    ['with no key', { cert: one.cert, key: '' }],
    ['with no certificate', { cert: '', key: one.key }],
    ['with something else', { cert: 'certificate', key: 'key' }],
  ])('%s', async (_what, pem) => {
    putSecret(kube, pem)
    expect(await trouble()).toMatchObject({
      reason: 'UnusableSecret',
      message: expect.stringMatching(/^Secret shop\/orders-tls is no certificate with its key: ./),
    })
    expect(certificate()).toBeUndefined()
  })

  test('that goes takes the certificate along; an API server that goes does not', async () => {
    putSecret(kube, one)
    await trouble()
    kube.before = () => {
      throw new KubeError('api-unreachable', 'away')
    }
    await later(tlsSecretLimits.rereadMs)
    expect(await trouble()).toBeUndefined()
    expect(certificate()).toBeDefined()
    kube.before = () => undefined
    kube.remove(secrets, 'shop', 'orders-tls')
    await later(tlsSecretLimits.rereadMs)
    expect(await trouble()).toMatchObject({ reason: 'NoSuchSecret' })
    expect(certificate()).toBeUndefined()
  })

  test('that nobody names any more is read no more', async () => {
    putSecret(kube, one)
    await trouble()
    held.retain([])
    const asked = kube.asked.length
    await later(10 * tlsSecretLimits.rereadMs)
    expect(kube.asked.length).toBe(asked)
  })
})
