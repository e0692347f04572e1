import { describe, expect, test } from 'vitest'
import { gatewayOf } from '../../cli/install/gateway-options.ts'
import { installObjects } from '../../cli/install/objects.ts'
import { gatewayAddressExamples, parseGatewayAddress } from '../../src/resource/gateway-address.ts'

const none = { address: undefined, type: undefined, nodePort: undefined, annotations: [], replicas: 2 }
const address = 'wss://node.example.com:{30443+ordinal}'

test('none, unless asked for', () => {
  expect(gatewayOf(none)).toBeUndefined()
})

test('a node port is enough for Services of that type', () => {
  expect(gatewayOf({ ...none, address, nodePort: '30443' })).toEqual({
    address,
    service: { type: 'NodePort', nodePort: 30_443, annotations: {} },
  })
})

test('a load balancer may come before its address is known; values of annotations may have anything in them', () => {
  expect(gatewayOf({ ...none, type: 'LoadBalancer', annotations: ['a/b=c=d', 'e='] })).toEqual({
    address: '',
    service: { type: 'LoadBalancer', nodePort: 0, annotations: { 'a/b': 'c=d', e: '' } },
  })
})

test('one replica may have an address that tells none apart', () => {
  expect(gatewayOf({ ...none, address: 'wss://node.example.com', replicas: 1 })?.address).toBe('wss://node.example.com')
})

describe('refused', () => {
  test.each([
    [{ address: 'https://node.example.com' }, 'is no address'],
    [{ address: 'wss://node.example.com:30443' }, 'leads to one proxy pod, there are 2'],
  ])('%j, with addresses that could be typed', (asked, message) => {
    expect(() => gatewayOf({ ...none, ...asked })).toThrow(message)
    expect(() => gatewayOf({ ...none, ...asked })).toThrow(
      expect.objectContaining({ code: 'bad-gateway-address', fix: gatewayAddressExamples }),
    )
  })

  test('so the examples are addresses', () => {
    for (const example of gatewayAddressExamples.split(/, | or /)) {
      expect(parseGatewayAddress(example).tellsReplicasApart).toBe(true)
    }
  })

  test.each([
    [{ type: 'NodePort' }, '--gateway-node-port is missing'],
    [{ type: 'ClusterIP', nodePort: '30443' }, 'has no --gateway-node-port'],
    [{ nodePort: '0' }, '"0" is no node port'],
    [{ nodePort: 'NaN' }, '"NaN" is no node port'],
    [{ nodePort: '65505' }, '"65505" is no node port'],
    [{ type: 'LoadBalancer', annotations: ['internal'] }, '"internal" is not NAME=VALUE'],
    [{ address, annotations: ['a=b'] }, 'is for a --gateway-service'],
  ])('%j, with a command', (asked, message) => {
    expect(() => gatewayOf({ ...none, ...asked })).toThrow(message)
    expect(() => gatewayOf({ ...none, ...asked })).toThrow(
      expect.objectContaining({ code: 'usage', fix: expect.stringContaining('intercept install --gateway-address') }),
    )
  })
})

test('with the option off not one object is another', () => {
  const objects = JSON.stringify(installObjects({}, Buffer.from('bundle')))
  expect(objects).not.toMatch(/GATEWAY_ADDRESS|intercept-gateway-0/)
})
