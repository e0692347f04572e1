import { describe, expect, it } from 'vitest'
import { encodeHello } from '../../src/tunnel/handshake.ts'
import {
  createTunnelServer,
  generateKeys,
  type Hello,
  type TunnelLimits,
  type TunnelServer,
} from '../../src/tunnel/index.ts'
import { turns } from './support/bytes.ts'
import { RawClient } from './support/raw-client.ts'
import { quickLimits, tunnelPair } from './support/tunnel-pair.ts'

function serverWith(limits: Partial<TunnelLimits> = {}, seen: Hello[] = []): TunnelServer {
  return createTunnelServer<string>({
    limits: { ...quickLimits, ...limits },
    authorize: async (hello) => {
      seen.push(hello)
      return { identity: 'ada' }
    },
    onTunnel: () => ({ onStream: (stream) => stream.refuse('no', 'no'), onState: () => undefined }),
  })
}

describe('the login', () => {
  it('brings the claims, the key and the versions to authorize, and its identity to onTunnel', async () => {
    const keys = generateKeys()
    const pair = await tunnelPair({ keys, claims: { intercept: 'shop/orders' } })
    await pair.client.became('up')
    const server = await pair.server
    expect(pair.hellos[0]).toMatchObject({
      claims: { intercept: 'shop/orders' },
      publicKey: keys.publicKey,
      clientVersion: '0.0.0-test',
      lane: 0,
      tunnel: pair.client.tunnel.id,
    })
    expect(server.tunnel.id).toBe(pair.client.tunnel.id)
    expect(pair.identities).toEqual(['ada'])
    expect(Buffer.from(keys.publicKey, 'base64')).toHaveLength(32)
    await pair.close()
  })

  it('tells the client why it was refused for good, and that ends it', async () => {
    let asked = 0
    const pair = await tunnelPair({
      authorize: async () => {
        asked += 1
        return { refusal: { code: 'not-authorized', message: 'orders is held by grace', fix: 'intercept list' } }
      },
    })
    const { error, reason } = await pair.client.became('closed')
    expect(error).toMatchObject({ code: 'not-authorized', message: 'orders is held by grace', fix: 'intercept list' })
    expect(reason).toBe('orders is held by grace')
    expect(asked).toBe(1)
    await pair.close()
  })

  it('goes on dialling where the refusal may pass', async () => {
    let asked = 0
    const pair = await tunnelPair({
      authorize: async () => {
        asked += 1
        if (asked === 1) throw new Error('the API server does not answer')
        if (asked === 2) return { refusal: { code: 'intercept-not-ready', message: 'wait' } }
        return { identity: 'ada' }
      },
    })
    await pair.client.became('up')
    const failures = pair.client.states
      .filter(({ state }) => state === 'connecting')
      .map(({ detail }) => detail.error?.code)
    expect(failures).toEqual(['authorize-failed', 'intercept-not-ready'])
    await pair.close()
  })

  it('refuses a signature by another key', async () => {
    const seen: Hello[] = []
    const client = new RawClient(serverWith({}, seen))
    const hello = client.hello({ publicKey: generateKeys().publicKey })
    client.carrier.send([encodeHello(hello, await client.nonce(), client.keys)])
    await expect(client.answer()).rejects.toMatchObject({ code: 'bad-signature', final: true })
    await client.until(() => client.closed !== undefined)
    expect(seen).toEqual([])
  })

  it('refuses a hello that was recorded from another carrier', async () => {
    const server = serverWith()
    const first = new RawClient(server)
    const recorded = encodeHello(first.hello(), await first.nonce(), first.keys)
    first.carrier.send([recorded])
    await first.answer()
    const second = new RawClient(server)
    await second.nonce()
    second.carrier.send([recorded])
    await expect(second.answer()).rejects.toMatchObject({ code: 'bad-signature' })
    await server.close('now')
  })

  it('refuses a hello of which one bit was changed', async () => {
    const server = serverWith()
    const client = new RawClient(server)
    const hello = encodeHello(client.hello({ claims: { intercept: 'a' } }), await client.nonce(), client.keys)
    const at = hello.indexOf('"intercept":"a"') + '"intercept":"'.length
    hello[at] = 'b'.charCodeAt(0)
    client.carrier.send([hello])
    await expect(client.answer()).rejects.toMatchObject({ code: 'bad-signature' })
  })

  it('lets nobody resume or join a tunnel with another key', async () => {
    const server = serverWith()
    const owner = new RawClient(server)
    const { session } = await owner.login()
    for (const changes of [{ resume: { session, received: 0 } }, { lane: 1 }]) {
      const thief = new RawClient(server, generateKeys(), owner.tunnel)
      await expect(thief.login(changes)).rejects.toMatchObject({ code: 'tunnel-taken', final: true })
    }
    expect(owner.closed).toBeUndefined()
    expect(server.tunnels).toHaveLength(1)
    await server.close('now')
  })

  it('lets the owner resume, and says so where the session is not known', async () => {
    const server = serverWith()
    const owner = new RawClient(server)
    const { session } = await owner.login()
    const again = new RawClient(server, owner.keys, owner.tunnel)
    await expect(again.login({ resume: { session, received: 0 } })).resolves.toMatchObject({ session, received: 0 })
    await owner.until(() => owner.closed !== undefined)
    const lost = new RawClient(server, owner.keys, owner.tunnel)
    const resume = { session: `${session.slice(0, -4)}AAAA`, received: 0 }
    await expect(lost.login({ resume })).rejects.toMatchObject({ code: 'session-unknown', final: false })
    await server.close('now')
  })

  it('does not go on where the client claims bytes that were never sent', async () => {
    const server = serverWith()
    const owner = new RawClient(server)
    const { session } = await owner.login()
    const again = new RawClient(server, owner.keys, owner.tunnel)
    await again.login({ resume: { session, received: 1_000 } })
    await again.until(() => again.closed !== undefined)
    expect(again.closed).toContain('bad-ack')
    await server.close('now')
  })

  it('tells both sides when their versions do not fit', async () => {
    const server = serverWith()
    const client = new RawClient(server)
    await expect(client.login({ version: 99 })).rejects.toMatchObject({ code: 'version-skew', final: true })
    await server.close('now')
  })

  it.each([
    ['not JSON', Buffer.from('hello')],
    ['too long', Buffer.alloc(20_000, 0x20)],
    ['empty', Buffer.alloc(0)],
    ['an array', Buffer.concat([Buffer.alloc(64), Buffer.from('[]')])],
    [
      'without a key',
      Buffer.concat([Buffer.alloc(64), Buffer.from('{"version":1,"clientVersion":"x","publicKey":"AA"}')]),
    ],
  ])('refuses a hello that is %s', async (_what, message) => {
    const client = new RawClient(serverWith())
    await client.nonce()
    client.carrier.send([message])
    await expect(client.answer()).rejects.toMatchObject({ code: 'bad-hello' })
  })

  it('gives a silent carrier only so much time', async () => {
    const client = new RawClient(serverWith({ handshakeMs: 30 }))
    await client.until(() => client.closed !== undefined)
    expect(client.closed).toContain('handshake-timeout')
  })

  it('holds only so many carriers that are not authenticated; the oldest gives way', async () => {
    const server = serverWith({ maxHandshakes: 3 })
    const clients = Array.from({ length: 5 }, () => new RawClient(server))
    await turns(3)
    expect(clients.map(({ closed }) => closed !== undefined)).toEqual([true, true, false, false, false])
    await expect((clients[4] as RawClient).login()).resolves.toMatchObject({ received: 0 })
    await server.close('now')
  })

  it('holds only so many tunnels, and lanes of one', async () => {
    const server = serverWith({ maxTunnels: 1, maxLanes: 2 })
    const first = new RawClient(server)
    await first.login()
    await expect(new RawClient(server).login()).rejects.toMatchObject({ code: 'too-many-tunnels', final: false })
    await expect(new RawClient(server, first.keys, first.tunnel).login({ lane: 2 })).rejects.toMatchObject({
      code: 'bad-hello',
    })
    await server.close('now')
  })

  it('admits nobody while it closes', async () => {
    const server = serverWith()
    await server.close('now')
    const client = new RawClient(server)
    await client.until(() => client.messages.length > 1)
    await expect(client.answer()).rejects.toMatchObject({ code: 'server-closing', final: false })
  })
})
