import { expect, onTestFinished, test } from 'vitest'
import { OriginBalancer } from '../../../proxy-pod/dataplane/origin-balancer.ts'
import { OriginUpstream } from '../../../proxy-pod/dataplane/origin-upstream.ts'
import type { UpstreamEvents } from '../../../proxy-pod/dataplane/upstream.ts'
import type { OriginEndpoint } from '../../../src/takeover/endpoints.ts'
import { closedPort, TcpServer } from '../support/peer.ts'

async function origin(onPeer?: ConstructorParameters<typeof TcpServer>[0]): Promise<TcpServer> {
  const server = await new TcpServer(onPeer).listen()
  onTestFinished(() => server.close())
  return server
}

function balancerOf(endpoints: readonly OriginEndpoint[], now?: () => number): OriginBalancer {
  const balancer = new OriginBalancer(now)
  balancer.update(endpoints, false)
  return balancer
}

/** What an upstream told; `outcome` is the first of accept and refuse. */
function recorder(changes: Partial<UpstreamEvents> = {}) {
  let settle: (how: string) => void = () => undefined
  const outcome = new Promise<string>((resolve) => {
    settle = resolve
  })
  const events: UpstreamEvents = {
    onAccept: () => settle('accepted'),
    onRefuse: (reason) => settle(reason),
    onData: () => true,
    onEnd: () => undefined,
    onReset: () => undefined,
    onDrain: () => undefined,
    ...changes,
  }
  return { events, outcome }
}

test('an endpoint that refused is the last to be tried by the connections that follow', async () => {
  const [good, badPort] = [await origin(), await closedPort()]
  const bad = { address: '127.0.0.1', port: badPort }
  const balancer = balancerOf([bad, good.endpoint, bad])
  for (let count = 0; count < 3; count += 1) {
    const { events, outcome } = recorder()
    const upstream = new OriginUpstream(balancer, '10.0.0.9', events)
    expect(await outcome).toBe('accepted')
    upstream.reset()
  }
  expect(balancer.order('10.0.0.9')[0]).toEqual(good.endpoint)
})

test('says why when nobody accepts', async () => {
  const port = await closedPort()
  const { events, outcome } = recorder()
  new OriginUpstream(balancerOf([{ address: '127.0.0.1', port }]), '10.0.0.9', events)
  expect(await outcome).toContain(`ECONNREFUSED 127.0.0.1:${port}`)
})

test('one that was reset before it connected leaves no connection behind', async () => {
  const server = await origin()
  const { events } = recorder()
  const upstream = new OriginUpstream(balancerOf([server.endpoint]), '10.0.0.9', events)
  upstream.write(Buffer.from('never'))
  upstream.reset()
  const next = recorder()
  new OriginUpstream(balancerOf([server.endpoint]), '10.0.0.9', next.events).write(Buffer.from('after it'))
  expect(await next.outcome).toBe('accepted')
  await Promise.all(server.peers.map((peer) => peer.until(({ closed, length }) => closed || length > 0)))
  expect(server.peers.map(({ text }) => text)).not.toContain('never')
})

test('one that is abandoned for a slow client is still read to its end', async () => {
  const server = await origin((peer) => peer.write('the end of an answer'))
  const { events } = recorder({
    // The client is slow, and this was what it waited for: it goes on elsewhere.
    onData: () => {
      upstream.abandon()
      return false
    },
  })
  const upstream = new OriginUpstream(balancerOf([server.endpoint]), '10.0.0.9', events)
  const peer = await server.peer()
  await peer.until(({ ended }) => ended)
  peer.write('more').end()
  await peer.until(({ closed }) => closed)
  expect(peer.failure).toBeUndefined()
})
