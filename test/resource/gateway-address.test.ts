import { expect, test } from 'vitest'
import { gatewayAddressPattern, gatewayUrl, parseGatewayAddress } from '../../src/resource/gateway-address.ts'

test.each([
  ['wss://node.example.com:{30443+ordinal}', 'wss://node.example.com:30444/tunnel/v1'],
  ['wss://10.0.0.1:{30443+ordinal}/', 'wss://10.0.0.1:30444/tunnel/v1'],
  ['wss://[fd00::1]:{64999+ordinal}', 'wss://[fd00::1]:65000/tunnel/v1'],
  ['wss://intercept.example.com/{pod}', 'wss://intercept.example.com/intercept-proxy-1/tunnel/v1'],
  ['wss://Example.com:443/a/b-{ordinal}/', 'wss://Example.com:443/a/b-1/tunnel/v1'],
  ['wss://{pod}.intercept.example.com:65535', 'wss://intercept-proxy-1.intercept.example.com:65535/tunnel/v1'],
  ['wss://intercept-{ordinal}.example.com:8443', 'wss://intercept-1.example.com:8443/tunnel/v1'],
])('%s leads to the second replica at %s', (text, url) => {
  const address = parseGatewayAddress(text)
  expect(address.tellsReplicasApart).toBe(true)
  expect(gatewayUrl(address, 'intercept-proxy-1')).toBe(url)
  expect(new URL(url).protocol).toBe('wss:')
})

test('the number of a pod may have more than one digit', () => {
  const address = parseGatewayAddress('wss://node:{30443+ordinal}/{ordinal}')
  expect(gatewayUrl(address, 'intercept-proxy-12')).toBe('wss://node:30455/12/tunnel/v1')
})

test('an address for one replica is told from one for many', () => {
  expect(parseGatewayAddress('wss://node.example.com:30443').tellsReplicasApart).toBe(false)
})

test.each([
  '',
  'node.example.com:30443',
  'https://node.example.com',
  'ws://node.example.com',
  'wss://',
  'wss://node.example.com:0',
  'wss://node.example.com:65536',
  'wss://node.example.com:{65000+ordinal}',
  'wss://node.example.com:{ordinal}',
  'wss://node.example.com:{port}',
  'wss://node.example.com:{30443 + ordinal}',
  'wss://node..example.com',
  'wss://ada:secret@node.example.com',
  'wss://node.example.com/{name}',
  'wss://node.example.com/{pod',
  'wss://node.example.com//{pod}',
  'wss://node.example.com/{pod}?a=b',
  'wss://node.example.com/{pod}#a',
  'wss://node.example.com/{pod} ',
  'wss://node.example.com/{pod}\n',
  'wss://node.example.com/%7Bpod%7D',
])('%j is refused, with what to type', (text) => {
  expect(() => parseGatewayAddress(text)).toThrow(
    expect.objectContaining({ code: 'bad-gateway-address', fix: expect.stringContaining('{30443+ordinal}') }),
  )
})

test('the pattern can stand in a template of Helm', () => {
  expect(gatewayAddressPattern).not.toMatch(/\{\{|\}\}/)
})
