import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { Outbound } from '../../../proxy-pod/outbound/outbound.ts'
import type { Reach } from '../../../proxy-pod/outbound/reach.ts'
import { parseResolverSettings } from '../../../src/dns/resolver-settings.ts'
import { duplexOf, type StreamHeader } from '../../../src/tunnel/index.ts'
import { FakeKube } from '../../cli/support/fake-kube.ts'
import { tunnelTo } from '../support/tunnel-ends.ts'

const shop: Reach = { namespace: 'shop', anywhere: false }

async function open(header: StreamHeader, reaches: readonly Reach[] = [shop]) {
  const outbound = new Outbound(new FakeKube(), { ips: ['127.7.0.3'], gatewayPort: 8443 })
  const { laptop } = await tunnelTo(outbound.forTunnel(() => reaches))
  return duplexOf(laptop.open(header))
}

it('says how a pod of a namespace resolves names', async () => {
  const settings = parseResolverSettings(await text(await open({ resolver: { namespace: 'shop' } })))
  expect(settings?.searches[0]).toMatch(/^shop\.svc\./)
})

it.each([
  [{}, 'bad-destination'],
  [{ dial: { host: 'orders' } }, 'bad-destination'],
  [{ proto: 'sctp', dial: { host: 'orders', port: 80 } }, 'bad-destination'],
  [{ dns: { namespace: '../shop' } }, 'bad-destination'],
  [{ dial: { host: 'nothing', port: 80, namespace: 'shop' } }, 'name-not-found'],
  [{ proto: 'udp', dial: { host: 'nothing', port: 80, namespace: 'shop' } }, 'name-not-found'],
  [{ dial: { host: '127.0.0.1', port: 80, namespace: 'shop' } }, 'not-allowed'],
])('%j is refused: %s', async (header, code) => {
  await expect(text(await open(header))).rejects.toMatchObject({ code })
})

it('a login that was ended has nothing', async () => {
  await expect(text(await open({ resolver: { namespace: 'shop' } }, []))).rejects.toMatchObject({ code: 'not-allowed' })
})
