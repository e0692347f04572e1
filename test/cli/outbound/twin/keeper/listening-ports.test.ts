import { expect, test } from 'vitest'
import { accepts, dialAddresses } from '../../../../../cli/outbound/twin/keeper/listening-ports.ts'

const all = [
  { address: '127.0.0.1', port: 8080 },
  { address: '0.0.0.0', port: 9000 },
  { address: '::', port: 3000 },
  { address: '::1', port: 3001 },
  { address: '10.0.0.5', port: 3002 },
]

test('who accepts at an address, and where to dial it', () => {
  const ports = [8080, 9000, 3000, 3001, 3002, 1]
  expect(ports.map((port) => accepts(all, '127.0.0.1', port))).toEqual([true, true, true, false, false, false])
  expect(ports.map((port) => accepts(all, '::1', port))).toEqual([false, false, true, true, false, false])
  expect(ports.map((port) => dialAddresses(all, port))).toEqual([
    ['127.0.0.1'],
    ['127.0.0.1'],
    ['::1'],
    ['::1'],
    ['10.0.0.5'],
    [],
  ])
})
