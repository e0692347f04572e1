import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Carriers } from '../../cli/agent/carriers.ts'
import { whyRefused } from '../../proxy-pod/gateway/addressee.ts'
import { KubeError } from '../../src/kube/error.ts'
import type { ConfigMap } from '../../src/kube/objects.ts'
import { configMaps } from '../../src/kube/resources.ts'
import { type CertificateAuthority, createCa, issueServingCertificate } from '../../src/pki/index.ts'
import { authorityName } from '../../src/resource/authority-name.ts'
import type { Carrier } from '../../src/tunnel/index.ts'
import { type CarrierServer, listenForCarriers } from '../tunnel/support/web-socket-server.ts'
import { FakeKube } from './support/fake-kube.ts'

const service = 'intercept-gateway.system.svc'

/** An API server whose pods/proxy leads to a gateway in the clear. */
class Cluster extends FakeKube {
  /** 'ok', or what pods/proxy does. */
  proxy: 'ok' | 'forbidden' | 'refused' = 'ok'
  dialled = 0
  gateway!: CarrierServer

  override async webSocketTarget() {
    this.dialled += 1
    const url = {
      ok: this.gateway.url,
      forbidden: this.gateway.url.replace('/tunnel', '/forbidden'),
      refused: 'ws://127.0.0.1:1/',
    }[this.proxy]
    return { url, headers: {}, options: {} }
  }

  override portForward(): Promise<never> {
    return Promise.reject(new KubeError('forbidden', 'User ada may not create pods/portforward'))
  }

  publish(authority: string, address?: string): void {
    const data = { 'ca.crt': authority, ...(address ? { 'gateway-address': address } : {}) }
    this.put<ConfigMap>(configMaps, { metadata: { name: 'intercept-ca', namespace: 'system' }, data })
  }
}

let ca: CertificateAuthority
let other: CertificateAuthority
beforeAll(async () => {
  ;[ca, other] = await Promise.all([createCa(), createCa()])
})

let cluster: Cluster
let told: string[]
const servers: { close(): unknown }[] = []
const carriers: Carrier[] = []
beforeEach(async () => {
  cluster = new Cluster()
  cluster.gateway = await listenForCarriers(() => undefined)
  servers.push(cluster.gateway)
  told = []
})
afterEach(async () => {
  for (const carrier of carriers.splice(0)) carrier.close(1_000, 'over')
  for (const server of servers.splice(0)) await server.close()
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

/** No head start ends from now on: what does not need its end is at once. */
const withoutTimers = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

/** A gateway past the API server. */
async function directGateway(
  options: { by?: CertificateAuthority; names?: string[]; pod?: string; status?: number; port?: number } = {},
): Promise<CarrierServer> {
  const { by = ca, names = [service], pod = 'p-0', status, port = 0 } = options
  const tls = await issueServingCertificate(by, { dnsNames: names, ips: [] })
  const own = { pod, authority: authorityName(ca.cert) }
  const server = await listenForCarriers(() => undefined, {
    tls,
    port,
    refuse: (request) => (status ? { status, reason: 'no' } : whyRefused(request, own)),
  })
  servers.push(server)
  return server
}

/** Takes connections and says nothing, as where packets are dropped on the way. */
async function silence(): Promise<number> {
  const server: Server = createServer((socket) => void servers.push({ close: () => socket.destroy() }))
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as { port: number }).port
}

const made = (): Carriers => new Carriers(cluster, 'system', (message) => told.push(message))

let lanes = 0
/** For another lane each time, unless it is named. */
async function dial(from: Carriers, name = 'p-0', lane = lanes++, uid = `uid of ${name}`): Promise<string | undefined> {
  carriers.push(await from.dial({ uid, name }, lane, AbortSignal.timeout(5_000)))
  return from.routeTo(uid)
}

const dialRejected = (from: Carriers) =>
  from.dial({ uid: 'uid of p-0', name: 'p-0' }, lanes++, AbortSignal.timeout(5_000))

describe('directly', () => {
  test('where an address is published, and the API server is not asked for a carrier', async () => {
    const { port } = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:{${port}+ordinal}`)
    expect(await dial(made())).toBe('direct')
    expect(cluster.dialled).toBe(0)
    expect(told).toEqual([])
  })

  test.each(['/{pod}', '/tools/{pod}/', '/{ordinal}'])(
    'under %s, where an Ingress finds the way by it',
    async (path) => {
      const { port } = await directGateway()
      cluster.publish(ca.cert, `wss://127.0.0.1:${port}${path}`)
      expect(await dial(made())).toBe('direct')
    },
  )

  test('not where none is published', async () => {
    cluster.publish(ca.cert)
    expect(await dial(made())).toBe('pods/proxy')
    expect(told).toEqual([])
  })

  test('not where the ConfigMap may not be read: no word of it', async () => {
    cluster.before = (_verb, type) => {
      if (type.plural === 'configmaps') throw new KubeError('forbidden', 'no', { status: 403 })
    }
    expect(await dial(made())).toBe('pods/proxy')
    expect(told).toEqual([])
  })

  test('not where the ConfigMap does not come: it is not waited for', async () => {
    cluster.before = (_verb, type) => (type.plural === 'configmaps' ? new Promise(() => undefined) : undefined)
    expect(await dial(made())).toBe('pods/proxy')
  })

  test('not to an address of a newer kind', async () => {
    cluster.publish(ca.cert, 'quic://node.example.com')
    expect(await dial(made())).toBe('pods/proxy')
  })

  test('the ConfigMap is read before the first dial, and once for all', async () => {
    const { port } = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    const from = made()
    expect(cluster.asked).toEqual(['get configmaps'])
    await Promise.all([dial(from), dial(from), dial(from)])
    expect(cluster.asked).toEqual(['get configmaps'])
  })
})

describe('the API server’s way', () => {
  test('at once, where nobody answers at the address', async () => {
    cluster.publish(ca.cert, 'wss://localhost:1')
    withoutTimers()
    expect(await dial(made())).toBe('pods/proxy')
    expect(told).toEqual([])
  })

  test('after the head start, where the address is silent; the next carriers do not wait for it', async () => {
    cluster.publish(ca.cert, `wss://localhost:${await silence()}`)
    const from = made()
    const startedAt = performance.now()
    expect(await dial(from)).toBe('pods/proxy')
    expect(performance.now() - startedAt).toBeGreaterThan(280)
    withoutTimers()
    expect(await dial(from)).toBe('pods/proxy')
    expect(told).toEqual([])
  })

  test('within the same dial, where the direct way has worked and does no longer', async () => {
    const gateway = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:${gateway.port}`)
    const from = made()
    expect(await dial(from)).toBe('direct')
    await gateway.close()
    expect(await dial(from)).toBe('pods/proxy')
    // And back, where the API server does not answer.
    await directGateway({ port: gateway.port })
    cluster.proxy = 'refused'
    expect(await dial(from)).toBe('direct')
  })

  test('where a direct carrier opened, and the lane has to dial again at once', async () => {
    const { port } = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    const from = made()
    expect(await dial(from, 'p-0', 7)).toBe('direct')
    expect(await dial(from, 'p-0', 8)).toBe('direct')
    expect(await dial(from, 'p-0', 7)).toBe('pods/proxy')
    // For a while for its other lanes too.
    expect(await dial(from, 'p-0', 9)).toBe('pods/proxy')
  })

  test('not at once to a proxy pod that was replaced while the direct way worked: that may follow later', async () => {
    const gateway = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:${gateway.port}`)
    const from = made()
    expect(await dial(from)).toBe('direct')
    await gateway.close()
    const dialled = dial(from, 'p-0', 0, 'another')
    await directGateway({ port: gateway.port })
    expect(await dialled).toBe('direct')
    expect(cluster.dialled).toBe(0)
  })

  test('to such a proxy pod all the same, where the direct way does not follow', async () => {
    const gateway = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:${gateway.port}`)
    const from = made()
    expect(await dial(from)).toBe('direct')
    await gateway.close()
    expect(await dial(from, 'p-0', 0, 'another')).toBe('pods/proxy')
  })

  test('is remembered for the one proxy pod only', async () => {
    const gateway = await directGateway({ pod: 'p-1' })
    cluster.publish(ca.cert, `wss://localhost:${gateway.port}`)
    const from = made()
    expect(await dial(from, 'p-0')).toBe('pods/proxy')
    expect(await dial(from, 'p-1')).toBe('direct')
  })

  test.each([502, 503])('where an Ingress answers %i: that is not told', async (status) => {
    const { port } = await directGateway({ status })
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    expect(await dial(made())).toBe('pods/proxy')
    expect(told).toEqual([])
  })
})

describe('an address that leads astray is told once, and not used', () => {
  const astray = async (message: string) => {
    const from = made()
    expect(await dial(from)).toBe('pods/proxy')
    expect(told).toEqual([expect.stringContaining(message)])
    cluster.proxy = 'refused'
    await expect(dialRejected(from)).rejects.toThrow()
    expect(told).toHaveLength(1)
  }

  test('to another proxy pod', async () => {
    const { port } = await directGateway({ pod: 'p-1' })
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    await astray(`wss://localhost:${port}/tunnel/v1: this is p-1, not p-0`)
  })

  test('to something else', async () => {
    const { port } = await directGateway({ status: 404 })
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    await astray('404')
  })

  test('to another installation, whose authority is not ours', async () => {
    const { port } = await directGateway({ by: other })
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    await astray('certificate')
  })

  test('to a certificate of ours for another name', async () => {
    const { port } = await directGateway({ names: ['intercept-gateway.elsewhere.svc'] })
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    await astray('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('to a server without TLS', async () => {
    cluster.publish(ca.cert, `wss://localhost:${cluster.gateway.port}`)
    await astray(`wss://localhost:${cluster.gateway.port}/tunnel/v1: `)
  })
})

describe('INTERCEPT_CARRIERS', () => {
  test.each(['pods/proxy', 'port-forward,pods/proxy'])('%s leaves the direct way out', async (names) => {
    vi.stubEnv('INTERCEPT_CARRIERS', names)
    const { port } = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    expect(await dial(made())).toBe('pods/proxy')
    expect(cluster.asked).toEqual([])
  })

  test('direct leaves the others out: it is tried again where it fails', async () => {
    vi.stubEnv('INTERCEPT_CARRIERS', 'direct')
    cluster.publish(ca.cert, 'wss://localhost:1')
    const dialled = dialRejected(made())
    await expect(dialled).rejects.toMatchObject({ code: 'carrier-failed', final: false })
    expect(cluster.dialled).toBe(0)
  })

  test('direct, where that is not offered: final, with what to type', async () => {
    vi.stubEnv('INTERCEPT_CARRIERS', 'direct')
    const dialled = dialRejected(made())
    await expect(dialled).rejects.toMatchObject({ code: 'direct-not-offered', final: true, fix: expect.any(String) })
  })

  test('names that there are not', async () => {
    vi.stubEnv('INTERCEPT_CARRIERS', 'pigeon')
    const dialled = dialRejected(made())
    await expect(dialled).rejects.toMatchObject({ code: 'no-carriers', final: true })
  })
})

describe('where the API server’s ways are forbidden', () => {
  beforeEach(() => {
    cluster.proxy = 'forbidden'
  })

  test('the direct way is enough, also when it takes longer than its head start', async () => {
    const { port } = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:${port}`)
    expect(await dial(made())).toBe('direct')
  })

  test('and nothing answers directly: final, with both reasons', async () => {
    cluster.publish(ca.cert, 'wss://localhost:1')
    await expect(dialRejected(made())).rejects.toMatchObject({
      code: 'gateway-forbidden',
      final: true,
      message: expect.stringMatching(/pods\/portforward; nor directly: wss:\/\/localhost:1\/.*ECONNREFUSED/),
      fix: expect.stringContaining('kubectl -n system create rolebinding'),
    })
  })

  test('a direct way that has worked is waited for: not final', async () => {
    const gateway = await directGateway()
    cluster.publish(ca.cert, `wss://localhost:${gateway.port}`)
    const from = made()
    await dial(from)
    await gateway.close()
    const dialled = dialRejected(from)
    await expect(dialled).rejects.toMatchObject({ code: 'gateway-forbidden', final: false })
  })
})
