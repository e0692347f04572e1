import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { DirectWay } from '../../cli/agent/direct-way.ts'
import { PublishedGateway } from '../../cli/agent/published-gateway.ts'
import { trustedAuthorities } from '../../cli/agent/trusted-authorities.ts'
import type { ConfigMap } from '../../src/kube/objects.ts'
import { configMaps } from '../../src/kube/resources.ts'
import { type CertificateAuthority, createCa, issueServingCertificate } from '../../src/pki/index.ts'
import { type CarrierServer, listenForCarriers } from '../tunnel/support/web-socket-server.ts'
import { FakeKube } from './support/fake-kube.ts'

const service = 'intercept-gateway.system.svc'
let own: CertificateAuthority
let publicOne: CertificateAuthority
beforeAll(async () => {
  ;[own, publicOne] = await Promise.all([createCa(), createCa()])
})

let server: CarrierServer | undefined
afterEach(async () => {
  await server?.close()
  vi.unstubAllEnvs()
})

/** Dials a gateway with such a certificate at localhost, from a machine that trusts `publicOne`. */
async function dial(by: CertificateAuthority, name: string): Promise<void> {
  const tls = await issueServingCertificate(by, { dnsNames: [name], ips: [] })
  server = await listenForCarriers(() => undefined, { tls })
  const kube = new FakeKube()
  const data = { 'ca.crt': own.cert, 'gateway-address': `wss://localhost:${server.port}` }
  kube.put<ConfigMap>(configMaps, { metadata: { name: 'intercept-ca', namespace: 'system' }, data })
  const way = new DirectWay(new PublishedGateway(kube, 'system'), 'system', () => [publicOne.cert])
  const carrier = await way.dial('p-0', AbortSignal.timeout(5_000))
  carrier.close(1_000, 'over')
}

describe('a certificate is good', () => {
  test('for the host, by an authority that this machine trusts: as an Ingress has it', async () => {
    await expect(dial(publicOne, 'localhost')).resolves.toBeUndefined()
  })
  test('for the gateways’ Service, by the installation’s authority: as they have it themselves', async () => {
    await expect(dial(own, service)).resolves.toBeUndefined()
  })
  test('for the host, by the installation’s authority', async () => {
    await expect(dial(own, 'localhost')).resolves.toBeUndefined()
  })
})

describe('a certificate is refused', () => {
  test('for the gateways’ Service by another authority, which anybody may have asked for it', async () => {
    await expect(dial(publicOne, service)).rejects.toThrow(/ERR_TLS_CERT_ALTNAME_INVALID/)
  })
  test('for another host', async () => {
    await expect(dial(publicOne, 'node.example.com')).rejects.toThrow(/ERR_TLS_CERT_ALTNAME_INVALID/)
  })
  test('by an authority that nobody trusts', async () => {
    await expect(dial(await createCa(), 'localhost')).rejects.toThrow(/certificate/)
  })
})

test('what this machine trusts: what Node does, and NODE_EXTRA_CA_CERTS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'intercept-authorities-'))
  try {
    const file = join(folder, 'extra.pem')
    writeFileSync(file, publicOne.cert)
    // A Node that can tell them has read the variable when it started.
    const canTell = 'getCACertificates' in process.getBuiltinModule('node:tls')
    vi.stubEnv('NODE_EXTRA_CA_CERTS', canTell ? undefined : file)
    const trusted = trustedAuthorities()
    expect(trusted).toEqual(expect.arrayContaining([rootCertificates[0], ...(canTell ? [] : [publicOne.cert])]))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
