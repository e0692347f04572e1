import { expect, test } from 'vitest'
import { Connections } from '../../../../cli/outbound/twin/connections.ts'
import { Verdict } from '../../../../cli/outbound/twin/protocol.ts'

test('without a tunnel the network is unreachable, and it is told why', async () => {
  const told: string[] = []
  const connections = new Connections({
    dial: () => {
      throw new Error('there is nothing to dial with')
    },
    up: () => Promise.reject(new Error('waited in vain')),
    isMirrored: () => false,
    onFailure: (_to, code, reason) => told.push(`${code}: ${reason}`),
  })
  const verdict = await connections.decide({ address: '192.0.2.1', port: 40_000 }, { address: '10.0.0.7', port: 80 })
  expect(verdict).toBe(Verdict.NetworkUnreachable)
  expect(told).toEqual(['tunnel-down: no tunnel to the cluster in 30 s'])
  connections.close()
})
