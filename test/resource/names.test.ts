import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { originServiceName } from '../../src/resource/names.ts'

const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/)

describe('originServiceName', () => {
  it('is the name and the suffix where that fits', () => {
    expect(originServiceName('orders')).toBe('orders-intercept-origin')
  })

  it('is always a DNS label, and another one for another Service', () => {
    fc.assert(
      fc.property(label, label, (a, b) => {
        expect(originServiceName(a)).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/)
        if (a !== b) expect(originServiceName(a)).not.toBe(originServiceName(b))
      }),
    )
  })

  it('tells long names apart that begin alike', () => {
    const long = 'a'.repeat(62)
    expect(originServiceName(`${long}b`)).not.toBe(originServiceName(`${long}c`))
  })
})
