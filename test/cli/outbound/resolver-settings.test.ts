import { expect, it } from 'vitest'
import { resolverSettings } from '../../../cli/outbound/resolver-settings.ts'
import { type StreamDouble, TunnelDouble } from '../../proxy-pod/support/tunnel-double.ts'

const settings = { nameservers: ['10.96.0.10'], searches: ['shop.svc.cluster.local'], options: ['ndots:5'] }

function ask(proxyPod: (stream: StreamDouble) => void): Promise<unknown> {
  const tunnel = new TunnelDouble()
  tunnel.laptop = proxyPod
  const openResolver = (namespace: string) => tunnel.open({ resolver: { namespace } })
  return resolverSettings({ openResolver, up: async () => undefined }, 'shop')
}

it('are what the proxy pod says, however it is cut', async () => {
  const text = JSON.stringify(settings)
  const cut = (stream: StreamDouble) => stream.accepts().says(text.slice(0, 9)).says(text.slice(9)).ends()
  expect(await ask(cut)).toEqual(settings)
})

it('are none where it says something else, too much, or no', async () => {
  await expect(ask((stream) => stream.accepts().says('{}').ends())).rejects.toMatchObject({ code: 'bad-answer' })
  const long = 'x'.repeat(20_000)
  await expect(ask((stream) => stream.accepts().says(long))).rejects.toMatchObject({ code: 'bad-answer' })
  await expect(ask((stream) => stream.refuses('an older one'))).rejects.toMatchObject({ code: 'local-down' })
  await expect(ask((stream) => stream.resets())).rejects.toMatchObject({ code: 'tunnel-down' })
})
