import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type CertificateAuthority,
  createCa,
  issueServingCertificate,
  type ServingCertificate,
} from '../../src/pki/index.ts'

const names = { dnsNames: ['intercept-gateway.intercept-system.svc', 'localhost'], ips: ['127.0.0.1', 'fd00::1'] }
let ca: CertificateAuthority
let serving: ServingCertificate

beforeAll(async () => {
  ca = await createCa()
  serving = await issueServingCertificate(ca, names)
})

/** What the client says: 'secured', or the code of its error. */
async function handshake(options: tls.ConnectionOptions, shown: ServingCertificate = serving): Promise<string> {
  const server = tls.createServer({ cert: shown.cert, key: shown.key })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = tls.connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options })
  try {
    return await new Promise<string>((resolve) => {
      client.once('secureConnect', () => resolve('secured'))
      client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
  } finally {
    client.destroy()
    server.close()
  }
}

describe('a serving certificate', () => {
  it.each(names.dnsNames)('is good for the name %s', async (servername) => {
    expect(await handshake({ ca: ca.cert, servername })).toBe('secured')
  })

  it('is good for the address', async () => {
    expect(await handshake({ ca: ca.cert, servername: '' })).toBe('secured')
  })

  it('is not good for another name', async () => {
    expect(await handshake({ ca: ca.cert, servername: 'example.com' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('is not believed without its authority, nor with another of the same name', async () => {
    expect(await handshake({ servername: 'localhost' })).toMatch(/UNABLE_TO|SELF_SIGNED/)
    const other = await createCa()
    expect(await handshake({ ca: other.cert, servername: 'localhost' })).toMatch(/UNABLE_TO|SIGNATURE|SELF_SIGNED/)
  })

  it('says what it is', () => {
    const leaf = new X509Certificate(serving.cert)
    const authority = new X509Certificate(ca.cert)
    expect(leaf.subjectAltName).toContain('IP Address:FD00:0:0:0:0:0:0:1')
    expect(leaf.ca).toBe(false)
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(leaf.checkIssued(authority)).toBe(true)
    expect(leaf.verify(authority.publicKey)).toBe(true)
    expect(authority.ca).toBe(true)
    expect(BigInt(`0x${leaf.serialNumber}`)).toBeGreaterThan(0n)
    expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now() - 3_000_000)
    expect(Date.parse(leaf.validTo)).toBeLessThanOrEqual(Date.parse(authority.validTo))
  })

  it('does not hand out the authority: a leaf signs nothing', async () => {
    const forged = await issueServingCertificate(
      { cert: serving.cert, key: serving.key },
      { dnsNames: ['localhost'], ips: [] },
    )
    const chain = { cert: forged.cert + serving.cert, key: forged.key }
    expect(await handshake({ ca: ca.cert, servername: 'localhost' }, chain)).not.toBe('secured')
  })
})
