import { describe, expect, it } from 'vitest'
import { parseForwardPort, servicePortOf } from '../../../cli/outbound/forward-port.ts'
import { serviceOf } from '../../proxy-pod/support/objects.ts'

describe('a port that leads somewhere', () => {
  it.each([
    ['5432', { local: 5432, remote: '5432' }],
    ['15432:5432', { local: 15_432, remote: '5432' }],
    [':5432', { local: 0, remote: '5432' }],
    ['15432:postgres', { local: 15_432, remote: 'postgres' }],
    ['postgres', { local: 0, remote: 'postgres' }],
  ])('%s', (text, expected) => {
    expect(parseForwardPort(text)).toEqual(expected)
  })

  it.each(['', ':', '0', '70000', '70000:80', '80:', 'a:80', '1:2:3', '80:-'])('%j is none', (text) => {
    expect(() => parseForwardPort(text)).toThrow(expect.objectContaining({ code: 'bad-port', fix: expect.any(String) }))
  })

  it('is one of the Service, by number or name', () => {
    const service = serviceOf({
      ports: [
        { name: 'postgres', port: 5432 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    })
    expect(servicePortOf(service, 'postgres')).toBe(5432)
    expect(servicePortOf(service, '5432')).toBe(5432)
    for (const other of ['53', 'dns', '5433']) {
      expect(() => servicePortOf(service, other)).toThrow(/no TCP port .*its ports: 5432 \(postgres\)/)
    }
  })
})
