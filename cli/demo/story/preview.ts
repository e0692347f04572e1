import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { splice } from '../../../src/splice.ts'
import type { Address } from '../cluster/network/reach.ts'

/** The shop's page on 127.0.0.1, for browsers that know of no other loopback address. */
export async function startPreview(target: Address): Promise<{ url: string; close(): void }> {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    splice(client, connect({ ...target, allowHalfOpen: true, noDelay: true }))
  })
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  server.unref()
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() }
}
