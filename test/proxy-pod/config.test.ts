import { describe, expect, test } from 'vitest'
import { configFrom } from '../../proxy-pod/config.ts'

const given = { POD_NAME: 'intercept-proxy-0', POD_UID: 'u', POD_IP: '10.0.0.1' }

describe('what a proxy pod takes from its environment', () => {
  test('the least that it needs', () => {
    expect(configFrom(given)).toEqual({
      pod: { name: 'intercept-proxy-0', uid: 'u', ips: ['10.0.0.1'] },
      systemNamespace: 'intercept-system',
      namespaces: [],
      host: undefined,
      gatewayPort: 8443,
      gatewayAddress: undefined,
      preview: undefined,
      previewPort: 8081,
      forwarding: undefined,
      outbound: { allow: [], deny: [] },
      logLevel: 'info',
      faultPoints: [],
    })
  })

  test('everything', () => {
    const config = configFrom({
      ...given,
      POD_IPS: '10.0.0.1,fd00::1',
      POD_NAMESPACE: 'tools',
      INTERCEPT_NAMESPACES: 'shop,stock',
      HOST: '127.0.0.1',
      PORT_GATEWAY: '9443',
      INTERCEPT_GATEWAY_ADDRESS: 'wss://node.example.com:{30443+ordinal}',
      LOG_LEVEL: 'debug',
      INTERCEPT_PREVIEW_DOMAIN: 'preview.example.com',
      INTERCEPT_PREVIEW_SERVICE: 'shop/web:8080',
      INTERCEPT_PREVIEW_HOST: 'shop.example.com',
      PORT_PREVIEW: '9081',
      INTERCEPT_FORWARDED_HEADERS: 'x-forwarded,via',
      INTERCEPT_FAULT_POINTS: 'before:add-key,after:remove-key',
    })
    expect(config).toMatchObject({
      pod: { ips: ['10.0.0.1', 'fd00::1'] },
      systemNamespace: 'tools',
      namespaces: ['shop', 'stock'],
      host: '127.0.0.1',
      gatewayPort: 9443,
      gatewayAddress: { text: 'wss://node.example.com:{30443+ordinal}' },
      preview: {
        domain: 'preview.example.com',
        namespace: 'shop',
        service: 'web',
        port: 8080,
        host: 'shop.example.com',
      },
      previewPort: 9081,
      forwarding: { xForwarded: true, forwarded: false, via: 'intercept' },
      logLevel: 'debug',
      faultPoints: ['before:add-key', 'after:remove-key'],
    })
  })

  test('an empty list is no list: all namespaces, not one without a name', () => {
    expect(configFrom({ ...given, INTERCEPT_NAMESPACES: '' }).namespaces).toEqual([])
    expect(configFrom({ ...given, INTERCEPT_NAMESPACES: 'shop,' }).namespaces).toEqual(['shop'])
  })

  test.each([
    { INTERCEPT_PREVIEW_DOMAIN: 'preview.example.com', INTERCEPT_PREVIEW_SERVICE: 'web:80' },
    { INTERCEPT_FORWARDED_HEADERS: 'x-forwarded,x-real-ip' },
  ])('what is not understood is refused: %j', (env) => {
    expect(() => configFrom({ ...given, ...env })).toThrow(expect.objectContaining({ code: 'proxy-misconfigured' }))
  })

  test('an address that leads nowhere is refused', () => {
    const env = { ...given, INTERCEPT_GATEWAY_ADDRESS: 'https://node.example.com' }
    expect(() => configFrom(env)).toThrow(expect.objectContaining({ code: 'bad-gateway-address' }))
  })

  test.each(['POD_NAME', 'POD_UID', 'POD_IP'])('what is missing is named: %s', (name) => {
    const env: NodeJS.ProcessEnv = { ...given }
    delete env[name]
    expect(() => configFrom(env)).toThrow(expect.objectContaining({ code: 'proxy-misconfigured' }))
    expect(() => configFrom(env)).toThrow(name)
  })
})
