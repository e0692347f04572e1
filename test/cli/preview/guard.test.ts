import { expect, it } from 'vitest'
import { whyForeign } from '../../../cli/preview/guard.ts'

const crossSite = { host: 'localhost:4000', 'sec-fetch-site': 'cross-site' }

it.each([
  [{ host: 'localhost:4000' }, undefined],
  [{ host: '127.0.0.1:4000' }, undefined],
  [{ host: '[::1]:4000' }, undefined],
  [{ host: 'ada.localhost:4000' }, undefined],
  [{ host: 'evil.example:4000' }, /not evil\.example/],
  [{ host: 'localhost.evil.example' }, /not localhost\.evil\.example/],
  [{}, /without a name/],
  [{ host: 'localhost:4000', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, /another site/],
  [{ ...crossSite, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, undefined],
  [{ ...crossSite, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, /another site/],
  [{ host: 'localhost:4000', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }, undefined],
])('a request with %j', (headers, expected) => {
  const why = whyForeign({ headers, method: 'GET' })
  if (expected === undefined) expect(why).toBeUndefined()
  else expect(why).toMatch(expected)
})

it('a form of another site', () => {
  const headers = { ...crossSite, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  expect(whyForeign({ headers, method: 'POST' })).toMatch(/another site/)
})
