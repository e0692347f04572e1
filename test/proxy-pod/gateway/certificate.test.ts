import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { servingCertificate } from '../../../proxy-pod/gateway/certificate.ts'
import type { ConfigMap } from '../../../src/kube/objects.ts'
import { configMaps } from '../../../src/kube/resources.ts'
import { parseGatewayAddress } from '../../../src/resource/gateway-address.ts'
import { FakeKube } from '../../cli/support/fake-kube.ts'

const pod = { name: 'intercept-proxy-0', ips: ['10.0.0.1'] }
const address = parseGatewayAddress('wss://node.example.com:{30443+ordinal}')
const published = (kube: FakeKube) => kube.peek<ConfigMap>(configMaps, 'system', 'intercept-ca')?.data

test('the authority is published, and the address beside it; both follow the installation', async () => {
  const kube = new FakeKube()
  const { cert, authority } = await servingCertificate(kube, 'system', pod, undefined)
  expect(published(kube)).toEqual({ 'ca.crt': authority })
  expect(new X509Certificate(cert).verify(new X509Certificate(authority).publicKey)).toBe(true)

  await servingCertificate(kube, 'system', pod, address)
  expect(published(kube)).toEqual({ 'ca.crt': authority, 'gateway-address': address.text })

  kube.asked.length = 0
  await servingCertificate(kube, 'system', pod, address)
  expect(kube.asked).not.toContain('patch configmaps')

  await servingCertificate(kube, 'system', pod, undefined)
  expect(published(kube)).toEqual({ 'ca.crt': authority })
})

test('the first replica publishes both at once', async () => {
  const kube = new FakeKube()
  const { authority } = await servingCertificate(kube, 'system', pod, address)
  expect(published(kube)).toEqual({ 'ca.crt': authority, 'gateway-address': address.text })
})
