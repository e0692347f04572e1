import { codeOf } from '../../src/errors.ts'
import type { ConfigMap, Secret } from '../../src/kube/objects.ts'
import { configMaps, secrets } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { type CertificateAuthority, createCa, issueServingCertificate } from '../../src/pki/index.ts'
import type { GatewayAddress } from '../../src/resource/gateway-address.ts'
import {
  CA_CERT_KEY,
  CA_NAME,
  CA_PRIVATE_KEY,
  GATEWAY_ADDRESS_KEY,
  gatewayServerName,
  PROXY_LABELS,
} from '../../src/resource/names.ts'

/** PEM all. */
export interface GatewayCertificate {
  readonly cert: string
  readonly key: string
  /** Certificate of the authority that signed it. */
  readonly authority: string
}

/**
 * The gateway's serving certificate, signed by the authority that the installation keeps in a Secret (made by the first
 * replica that starts) and publishes in a ConfigMap, where those look who reach the gateway directly; with the address
 * at which they do, where there is one.
 */
export async function servingCertificate(
  kube: Kube,
  namespace: string,
  pod: { name: string; ips: readonly string[] },
  address: GatewayAddress | undefined,
): Promise<GatewayCertificate> {
  const ca = await authority(kube, namespace)
  await publish(kube, namespace, ca, address)
  const service = gatewayServerName(namespace)
  const serving = await issueServingCertificate(ca, {
    dnsNames: [service, `${pod.name}.${service}`, 'localhost'],
    ips: [...pod.ips],
  })
  return { ...serving, authority: ca.cert }
}

async function authority(kube: Kube, namespace: string): Promise<CertificateAuthority> {
  const stored = await kube.find<Secret>(secrets, namespace, CA_NAME)
  if (!stored?.data) {
    const ca = await createCa()
    const data = { [CA_CERT_KEY]: encode(ca.cert), [CA_PRIVATE_KEY]: encode(ca.key) }
    const metadata = metadataIn(namespace)
    const created = await createIfAbsent(() => kube.create<Secret>(secrets, { metadata, type: 'Opaque', data }))
    // Another replica was first.
    return created ? ca : authority(kube, namespace)
  }
  return { cert: decode(stored.data[CA_CERT_KEY]), key: decode(stored.data[CA_PRIVATE_KEY]) }
}

async function publish(
  kube: Kube,
  namespace: string,
  ca: CertificateAuthority,
  address: GatewayAddress | undefined,
): Promise<void> {
  const published = await kube.find<ConfigMap>(configMaps, namespace, CA_NAME)
  if (published === undefined) {
    const data = { [CA_CERT_KEY]: ca.cert, ...(address ? { [GATEWAY_ADDRESS_KEY]: address.text } : {}) }
    const metadata = metadataIn(namespace)
    // Of replicas that start side by side one is first; what the others would write is the same.
    await createIfAbsent(() => kube.create<ConfigMap>(configMaps, { metadata, data }))
    return
  }
  const { [CA_CERT_KEY]: cert, [GATEWAY_ADDRESS_KEY]: text } = published.data ?? {}
  if (cert === ca.cert && text === address?.text) return
  const patch = { data: { [CA_CERT_KEY]: ca.cert, [GATEWAY_ADDRESS_KEY]: address?.text ?? null } }
  await kube.patch<ConfigMap>(configMaps, namespace, CA_NAME, patch, { type: 'merge' })
}

async function createIfAbsent(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create()
    return true
  } catch (error) {
    if (codeOf(error) === 'already-exists') return false
    throw error
  }
}

const metadataIn = (namespace: string) => ({ name: CA_NAME, namespace, labels: { ...PROXY_LABELS } })
const encode = (text: string): string => Buffer.from(text).toString('base64')
const decode = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString()
