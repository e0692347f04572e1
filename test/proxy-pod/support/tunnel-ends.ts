import { onTestFinished } from 'vitest'
import type { Tunnel, TunnelStream } from '../../../src/tunnel/index.ts'
import { type TunnelPair, tunnelPair } from '../../tunnel/support/tunnel-pair.ts'

/** A tunnel over carriers in memory. @param serve what the proxy pod does with the laptop's streams @returns the laptop's end */
export async function tunnelTo(serve: (stream: TunnelStream) => void): Promise<{ laptop: Tunnel; pair: TunnelPair }> {
  const pair = await tunnelPair({ limits: { pingMs: 5_000, deadMs: 20_000 } })
  await pair.client.became('up')
  const proxyPod = await pair.server
  proxyPod.onStream = serve
  onTestFinished(() => pair.close())
  return { laptop: pair.client.tunnel, pair }
}
