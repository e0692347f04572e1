import { expect, it } from 'vitest'
import { namespaceAskedBy } from '../../../proxy-pod/outbound/namespace-asked.ts'

it('reads what is asked about names', () => {
  expect(namespaceAskedBy({ dns: { namespace: 'shop' } })).toEqual({ for: 'dns', namespace: 'shop' })
  expect(namespaceAskedBy({ resolver: { namespace: 'shop' } })).toEqual({ for: 'resolver', namespace: 'shop' })
  for (const header of [{}, { dns: 'shop' }, { dns: null }, { dns: {} }, { resolver: { namespace: '../shop' } }]) {
    expect(namespaceAskedBy(header), JSON.stringify(header)).toBeUndefined()
  }
})
