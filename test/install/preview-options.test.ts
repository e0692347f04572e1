import { expect, test } from 'vitest'
import { installDefaults } from '../../cli/install/options.ts'
import { previewOf } from '../../cli/install/preview-options.ts'

const none = { domain: undefined, service: undefined, host: undefined, namespaces: [] }

test('none, unless asked for', () => {
  expect(previewOf(none)).toBeUndefined()
})

test.each([
  ['shop/web', 80],
  ['shop/web:8080', 8080],
])('of %s', (service, port) => {
  const asked = { ...none, domain: 'Preview.example.com', service, namespaces: ['shop'] }
  expect(previewOf(asked)).toEqual({
    ...installDefaults.preview,
    enabled: true,
    domain: 'preview.example.com',
    namespace: 'shop',
    service: 'web',
    port,
  })
})

test.each([
  [{ domain: 'preview.example.com' }, '--preview-service is missing'],
  [{ service: 'shop/web' }, '--preview-domain is missing'],
  [{ host: 'shop.example.com' }, '--preview-domain is missing'],
  [{ domain: '*.example.com', service: 'shop/web' }, '"*.example.com" is not a domain'],
  [{ domain: 'example.com', service: 'web' }, '"web" is not NAMESPACE/NAME[:PORT]'],
  [{ domain: 'example.com', service: 'shop/web:70000' }, '"shop/web:70000" is not NAMESPACE/NAME[:PORT]'],
  [{ domain: 'example.com', service: 'shop/web', host: 'a b' }, '"a b" is not a host'],
  [{ domain: 'example.com', service: 'shop/web', namespaces: ['stock'] }, 'may not act in namespace shop'],
])('%j is refused', (asked, message) => {
  expect(() => previewOf({ ...none, ...asked })).toThrow(expect.objectContaining({ code: 'usage' }))
  expect(() => previewOf({ ...none, ...asked })).toThrow(message)
})
