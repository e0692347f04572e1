import { describe, expect, test } from 'vitest'
import { whyRefused } from '../../../proxy-pod/gateway/addressee.ts'

const own = { pod: 'intercept-proxy-0', authority: 'AA:BB' }
const asked = (url: string | undefined, headers: Record<string, string> = {}) => whyRefused({ url, headers }, own)

describe('a carrier', () => {
  test.each([
    '/tunnel/v1',
    '/intercept-proxy-0/tunnel/v1',
    '/tools/intercept-proxy-0/tunnel/v1',
    '/0/tunnel/v1',
    '/my-intercept-proxy-1/tunnel/v1',
  ])('is let in at %s', (url) => {
    expect(asked(url)).toBeUndefined()
    expect(asked(url, { 'intercept-for-pod': 'intercept-proxy-0', 'intercept-for-authority': 'AA:BB' })).toBeUndefined()
  })

  test.each([
    undefined,
    '/',
    '/tunnel/v2',
    '/tunnel/v1/',
    '/tunnel/v1?a=b',
    '/a?/tunnel/v1',
    'tunnel/v1',
    '/a#/tunnel/v1',
  ])('finds nothing at %s', (url) => expect(asked(url)).toMatchObject({ status: 404 }))

  test.each(['/intercept-proxy-1/tunnel/v1', '/intercept-proxy-10/tunnel/v1', '/intercept-proxy-1/a/tunnel/v1'])(
    'is told at %s that this is another proxy pod',
    (url) => {
      expect(asked(url)).toMatchObject({
        status: 421,
        reason: expect.stringMatching(/^this is intercept-proxy-0, not intercept-proxy-10?$/),
      })
    },
  )

  test('is told so also where only its header names the proxy pod', () => {
    expect(asked('/tunnel/v1', { 'intercept-for-pod': 'intercept-proxy-1' })).toEqual({
      status: 421,
      reason: 'this is intercept-proxy-0, not intercept-proxy-1',
    })
  })

  test('for a proxy pod of that name in another cluster does not log in here', () => {
    expect(asked('/tunnel/v1', { 'intercept-for-authority': 'CC:DD' })).toEqual({
      status: 421,
      reason: 'this intercept-proxy-0 is of another installation',
    })
  })
})
