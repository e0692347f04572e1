import { expect, it } from 'vitest'
import { rewritingLines } from '../../../../cli/outbound/portable/rewriting-report.ts'

it('a line each, links to Services in one', () => {
  const to = '127.0.0.1:41234'
  expect(
    rewritingLines({
      rewritten: [
        { variable: 'DATABASE_URL', source: 'secret', from: 'db:5432', to },
        { variable: 'DB_SERVICE_HOST', source: 'service', from: '10.96.0.8:5432', to },
        { variable: 'DB_PORT', source: 'service', from: '10.96.0.8:5432', to },
      ],
      stays: [
        { variable: 'PAY_URL', source: 'value', address: 'payments:443', reason: 'https' },
        { variable: 'KUBERNETES_SERVICE_HOST', source: 'service', address: '10.96.0.1:443', reason: 'https' },
      ],
    }),
  ).toEqual([
    'DATABASE_URL: db:5432 -> 127.0.0.1:41234',
    '2 variables of links to Services',
    'PAY_URL: payments:443 stays: its certificate is for that name; HTTPS_PROXY and the Node preload lead there',
  ])
  expect(rewritingLines({ rewritten: [], stays: [] })).toEqual([])
})
