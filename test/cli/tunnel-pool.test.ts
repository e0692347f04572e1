import { afterEach, describe, expect, test, vi } from 'vitest'
import { TunnelPool } from '../../cli/agent/tunnel-pool.ts'
import { KubeError } from '../../src/kube/error.ts'
import type { Pod } from '../../src/kube/objects.ts'
import { pods } from '../../src/kube/resources.ts'
import { createTunnelServer, generateKeys, type TunnelServer } from '../../src/tunnel/index.ts'
import { type CarrierServer, listenForCarriers } from '../tunnel/support/web-socket-server.ts'
import { FakeKube } from './support/fake-kube.ts'

interface Gateway {
  readonly carriers: CarrierServer
  readonly tunnels: TunnelServer
  refusal: { code: string; message: string } | undefined
}

/** Proxy pods whose gateways are real, behind an API server that is not. */
class Cluster extends FakeKube {
  readonly gateways = new Map<string, Gateway>()
  readonly dialled: string[] = []
  forbidden = false
  /** Streams that each tunnel takes. */
  maxStreams = 100
  /** Where streams arrived, in order. */
  readonly arrived: string[] = []
  portForwardError = new KubeError('forbidden', 'User ada may not create pods/portforward')

  async add(name: string, ready = true): Promise<Gateway> {
    const gateway: Gateway = {
      refusal: undefined,
      tunnels: createTunnelServer<string>({
        authorize: async () => (gateway.refusal ? { refusal: gateway.refusal } : { identity: 'ada' }),
        limits: { maxStreams: this.maxStreams },
        // Neither accepted nor refused: it stays.
        onTunnel: () => ({ onStream: () => this.arrived.push(name), onState: () => undefined }),
      }),
      carriers: await listenForCarriers((carrier) => gateway.tunnels.accept(carrier)),
    }
    this.gateways.set(name, gateway)
    this.setPod(name, ready)
    return gateway
  }

  setPod(name: string, ready: boolean, phase: 'Running' | 'Pending' = 'Running'): void {
    this.put<Pod>(pods, {
      metadata: { name, namespace: 'system', labels: { 'app.kubernetes.io/name': 'intercept-proxy' } },
      spec: { containers: [] },
      status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    })
  }

  override async webSocketTarget(path: string) {
    this.dialled.push(path)
    const [, pod = ''] = /\/pods\/https:([^:]+):8443\/proxy\/tunnel\/v1$/.exec(path) ?? []
    const url = this.gateways.get(pod)?.carriers.url ?? 'ws://127.0.0.1:1/'
    return { url: this.forbidden ? url.replace('/tunnel', '/forbidden') : url, headers: {}, options: {} }
  }

  override portForward(): Promise<never> {
    return Promise.reject(this.portForwardError)
  }

  async stop(): Promise<void> {
    for (const { carriers, tunnels } of this.gateways.values()) {
      await tunnels.close('now')
      await carriers.close()
    }
  }
}

let cluster: Cluster | undefined
let pool: TunnelPool | undefined
afterEach(async () => {
  await pool?.close('now')
  await cluster?.stop()
  vi.unstubAllEnvs()
})

function start(told: string[] = []): { cluster: Cluster; pool: TunnelPool } {
  cluster = new Cluster()
  pool = new TunnelPool(cluster, 'system', generateKeys(), {
    onStream: (stream) => stream.refuse('x', 'x'),
    onState: (replica, state) => told.push(`${replica} ${state}`),
    onAstray: (message) => told.push(message),
  })
  return { cluster, pool }
}

const signal = (): AbortSignal => AbortSignal.timeout(4_000)

describe('one tunnel to every proxy pod', () => {
  test('is ready when all of them are up', async () => {
    const started = start()
    await Promise.all([started.cluster.add('p-1'), started.cluster.add('p-0')])
    await started.pool.ready(signal())
    expect(started.pool.connected).toEqual(['p-0', 'p-1'])
    expect(started.pool.route).toBe('pods/proxy')
    expect(started.pool.trouble).toBeUndefined()
    expect(started.cluster.dialled[0]).toBe('/api/v1/namespaces/system/pods/https:p-1:8443/proxy/tunnel/v1')
  })

  test('follows pods that come and go', async () => {
    const told: string[] = []
    const started = start(told)
    await started.cluster.add('p-0')
    await started.pool.ready(signal())
    await started.cluster.add('p-1')
    await started.pool.ready(signal())
    expect(started.pool.connected).toEqual(['p-0', 'p-1'])
    started.cluster.remove(pods, 'system', 'p-0')
    expect(started.pool.connected).toEqual(['p-1'])
  })

  test('a pod that is deleted and made again is another one', async () => {
    const started = start()
    await started.cluster.add('p-0')
    await started.pool.ready(signal())
    started.cluster.remove(pods, 'system', 'p-0')
    expect(started.pool.connected).toEqual([])
    started.cluster.setPod('p-0', true)
    await started.pool.ready(signal())
    expect(started.cluster.gateways.get('p-0')?.tunnels.tunnels).toHaveLength(1)
  })

  test('dials a pod that runs before it is ready, and waits for none that is not', async () => {
    const started = start()
    await started.cluster.add('p-0')
    started.cluster.setPod('p-pending', false, 'Pending')
    await started.pool.ready(signal())
    expect(started.pool.replicas).toEqual(['p-0'])
    expect(started.cluster.dialled.join()).not.toContain('p-pending')
  })

  test('has none to wait for: says so', async () => {
    const started = start()
    await started.pool.synced
    expect(started.pool.trouble).toBe('no proxy pod is ready')
    const abort = new AbortController()
    const ready = started.pool.ready(abort.signal)
    abort.abort()
    await expect(ready).resolves.toBeUndefined()
  })

  test('a tunnel that takes no further stream leaves it to another; where none does, that is said', async () => {
    const started = start()
    started.cluster.maxStreams = 2
    await Promise.all([started.cluster.add('p-0'), started.cluster.add('p-1')])
    await started.pool.ready(signal())
    for (let count = 0; count < 4; count += 1) started.pool.open({ dial: { host: 'db', port: 5432 } })
    expect(() => started.pool.open({ dial: { host: 'db', port: 5432 } })).toThrow(/2 streams are open/)
    await vi.waitFor(() => expect([...started.cluster.arrived].sort()).toEqual(['p-0', 'p-0', 'p-1', 'p-1']))
  })

  test('closed, it dials nobody any more', async () => {
    const started = start()
    await started.cluster.add('p-0')
    await started.pool.ready(signal())
    await started.pool.close('now')
    const { length } = started.cluster.dialled
    started.cluster.setPod('p-1', true)
    expect(started.cluster.dialled).toHaveLength(length)
  })
})

describe('a way that does not let us in', () => {
  test('neither pods/proxy nor port-forward: final, with what an administrator types', async () => {
    const started = start()
    started.cluster.forbidden = true
    await started.cluster.add('p-0')
    await expect(started.pool.ready(signal())).rejects.toMatchObject({
      code: 'gateway-forbidden',
      fix: expect.stringContaining('kubectl -n system create rolebinding'),
    })
  })

  test('pods/proxy is left out where INTERCEPT_CARRIERS says so', async () => {
    vi.stubEnv('INTERCEPT_CARRIERS', 'port-forward')
    const started = start()
    await started.cluster.add('p-0')
    await expect(started.pool.ready(signal())).rejects.toMatchObject({ code: 'gateway-forbidden' })
    expect(started.cluster.dialled).toEqual([])
  })

  test('the other way is not tried where the first only failed for now', async () => {
    const started = start()
    const gateway = await started.cluster.add('p-0')
    started.cluster.portForwardError = new KubeError('forbidden', 'must not be asked')
    await gateway.carriers.close()
    const abort = new AbortController()
    const ready = started.pool.ready(abort.signal)
    await vi.waitFor(() => expect(started.pool.trouble).toBeDefined())
    expect(started.pool.trouble).not.toContain('must not be asked')
    abort.abort()
    await ready
  })

  test('a login that the gateway refuses for good ends the waiting with its reason', async () => {
    const started = start()
    const gateway = await started.cluster.add('p-0', false)
    gateway.refusal = { code: 'not-authorized', message: 'no Intercept in the cluster has this key' }
    started.cluster.setPod('p-0', true)
    await expect(started.pool.ready(signal())).rejects.toMatchObject({
      code: 'not-authorized',
      message: expect.stringContaining('no Intercept'),
    })
  })
})
