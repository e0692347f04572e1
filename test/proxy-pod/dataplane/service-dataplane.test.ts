import { describe, expect, onTestFinished, test } from 'vitest'
import type { Claim } from '../../../proxy-pod/dataplane/route.ts'
import { ServiceDataplane } from '../../../proxy-pod/dataplane/service-dataplane.ts'
import type { EndpointSlice, Service } from '../../../src/kube/objects.ts'
import { serviceOf, sliceOf } from '../support/objects.ts'
import { closedPort, dial, type Peer, TcpServer } from '../support/peer.ts'
import { Counts } from '../support/port.ts'
import { TunnelDouble } from '../support/tunnel-double.ts'

async function pod(says: string): Promise<TcpServer> {
  const server = await new TcpServer((peer) => peer.write(says)).listen()
  onTestFinished(() => server.close())
  return server
}

function dataplane(): ServiceDataplane {
  const found = new ServiceDataplane('shop/orders', '127.0.0.1', () => new Counts())
  onTestFinished(() => found.close())
  return found
}

/** The origin's slice where `name` is the name of its only port. */
const origin = ({ port }: TcpServer, name = ''): EndpointSlice =>
  sliceOf(['127.0.0.1'], [{ name, port, protocol: 'TCP' }])

const listening = (plane: ServiceDataplane): Record<string, number> =>
  Object.fromEntries(plane.publishedPorts.map(({ name, protocol, port }) => [`${name} ${protocol}`, port]))

const ask = async (port: number | undefined): Promise<Peer> => {
  const client = await dial(port ?? 0)
  return client.until(({ length, closed }) => length > 0 || closed)
}

const claimOf = (tunnel: TunnelDouble): Claim => ({
  intercept: 'shop/orders-ada',
  mode: 'intercept',
  matches: undefined,
  workload: undefined,
  onLocalDown: 'origin',
  acceptTimeoutMs: 10_000,
  tunnel: () => tunnel,
})

const ports = (...all: NonNullable<Service['spec']['ports']>): Service => serviceOf({ ports: all })

describe('every port of a Service', () => {
  test('is listened on, TCP and UDP, intercepted or not; SCTP is left out', async () => {
    const plane = dataplane()
    await plane.update(
      ports(
        { name: 'http', port: 80 },
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'x', port: 9, protocol: 'SCTP' },
      ),
      [],
    )
    expect(plane.publishedPorts.map(({ name, protocol }) => `${name} ${protocol}`)).toEqual(['http TCP', 'dns UDP'])
    for (const { port } of plane.publishedPorts) expect(port).toBeGreaterThan(1023)
  })

  test('goes to its own target, by name', async () => {
    const [http, admin] = [await pod('http'), await pod('admin')]
    const plane = dataplane()
    await plane.update(ports({ name: 'http', port: 80 }, { name: 'admin', port: 81 }), [
      sliceOf(
        ['127.0.0.1'],
        [
          { name: 'admin', port: admin.port, protocol: 'TCP' },
          { name: 'http', port: http.port, protocol: 'TCP' },
        ],
      ),
    ])
    expect((await ask(listening(plane)['http TCP'])).text).toBe('http')
    expect((await ask(listening(plane)['admin TCP'])).text).toBe('admin')
  })

  test('only the claimed one goes to the laptop', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => void stream.accepts().says('laptop')
    const server = await pod('origin')
    const plane = dataplane()
    const slice = sliceOf(
      ['127.0.0.1'],
      [
        { name: 'a', port: server.port },
        { name: 'b', port: server.port },
      ],
    )
    await plane.update(ports({ name: 'a', port: 80 }, { name: 'b', port: 81 }), [slice])
    plane.setClaims(new Map([[81, [claimOf(tunnel)]]]))
    expect((await ask(listening(plane)['a TCP'])).text).toBe('origin')
    expect((await ask(listening(plane)['b TCP'])).text).toBe('laptop')
    expect(tunnel.streams[0]?.header).toMatchObject({ port: 81 })
    plane.setClaims(new Map())
    expect((await ask(listening(plane)['b TCP'])).text).toBe('origin')
  })
})

describe('a Service that changes while it is taken over', () => {
  test('keeps its listeners and connections when nothing about its ports did', async () => {
    const server = await pod('one')
    const plane = dataplane()
    await plane.update(ports({ port: 80 }), [origin(server)])
    const before = plane.publishedPorts
    const client = await ask(before[0]?.port)
    await plane.update(serviceOf({ ports: [{ port: 80 }], selector: { app: 'other' } }), [origin(server)])
    expect(plane.publishedPorts).toEqual(before)
    expect(client.closed).toBe(false)
    expect(plane.connections).toBe(1)
  })

  test('follows its pods', async () => {
    const [first, second] = [await pod('first'), await pod('second')]
    const plane = dataplane()
    await plane.update(ports({ port: 80 }), [origin(first)])
    expect((await ask(plane.publishedPorts[0]?.port)).text).toBe('first')
    await plane.update(ports({ port: 80 }), [origin(second)])
    expect((await ask(plane.publishedPorts[0]?.port)).text).toBe('second')
  })

  test('with a port more, has a listener more; the claims hold for it too', async () => {
    const tunnel = new TunnelDouble()
    tunnel.laptop = (stream) => void stream.accepts().says('laptop')
    const plane = dataplane()
    await plane.update(ports({ name: 'a', port: 80 }), [])
    plane.setClaims(new Map([[81, [claimOf(tunnel)]]]))
    await plane.update(ports({ name: 'a', port: 80 }, { name: 'b', port: 81 }), [])
    expect((await ask(listening(plane)['b TCP'])).text).toBe('laptop')
  })

  test('with a port less, resets what is open on it and nothing else', async () => {
    const server = await pod('hello')
    const slice = sliceOf(
      ['127.0.0.1'],
      [
        { name: 'a', port: server.port },
        { name: 'b', port: server.port },
      ],
    )
    const plane = dataplane()
    await plane.update(ports({ name: 'a', port: 80 }, { name: 'b', port: 81 }), [slice])
    const { 'a TCP': a, 'b TCP': b } = listening(plane)
    const [kept, gone] = [await ask(a), await ask(b)]
    await plane.update(ports({ name: 'a', port: 80 }), [slice])
    await gone.until(({ closed }) => closed)
    expect(kept.closed).toBe(false)
    await expect(dial(b ?? 0)).rejects.toThrow('ECONNREFUSED')
    expect(listening(plane)).toEqual({ 'a TCP': a })
  })

  test('whose port gets another name, publishes it under that name and keeps its connections', async () => {
    const server = await pod('hello')
    const plane = dataplane()
    await plane.update(ports({ name: 'http', port: 80 }), [origin(server, 'http')])
    const { 'http TCP': port } = listening(plane)
    const client = await ask(port)
    await plane.update(ports({ name: 'web', port: 80 }), [origin(server, 'web')])
    expect(listening(plane)).toEqual({ 'web TCP': port })
    expect(client.closed).toBe(false)
    expect((await ask(port)).text).toBe('hello')
  })
})

describe('a headless Service, whose callers dial the pods themselves', () => {
  const headless = (port: number, targetPort?: number | string): Service =>
    serviceOf({ clusterIP: 'None', ports: [{ port, ...(targetPort === undefined ? {} : { targetPort }) }] })

  test("is listened for on the pods' own port", async () => {
    const plane = dataplane()
    const port = await closedPort()
    await plane.update(headless(80, 'web'), [sliceOf(['10.0.0.1'], [{ name: '', port }])])
    expect(plane.publishedPorts).toEqual([{ name: '', protocol: 'TCP', port }])
  })

  test('before a pod is ready, on the number that the Service says', async () => {
    const plane = dataplane()
    const port = await closedPort()
    await plane.update(headless(80, port), [])
    expect(plane.publishedPorts[0]?.port).toBe(port)
  })

  test('on the right one as soon as a pod tells it', async () => {
    const plane = dataplane()
    const [named, real] = [await closedPort(), await closedPort()]
    await plane.update(headless(named, 'web'), [])
    await plane.update(headless(named, 'web'), [sliceOf(['10.0.0.1'], [{ name: '', port: real }])])
    expect(plane.publishedPorts[0]?.port).toBe(real)
    await plane.update(headless(named, 'web'), [])
    expect(plane.publishedPorts[0]?.port).toBe(real)
  })

  test('says so where the port is taken, and has it later', async () => {
    const squatter = await new TcpServer().listen()
    const { port } = squatter
    const plane = dataplane()
    await expect(plane.update(headless(port), [])).rejects.toThrow('EADDRINUSE')
    expect(plane.publishedPorts).toEqual([])
    squatter.close()
    await plane.update(headless(port), [])
    expect(plane.publishedPorts[0]?.port).toBe(port)
  })
})
