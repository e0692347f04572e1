import { codeOf } from '../../src/errors.ts'
import type { ConfigMap, Secret } from '../../src/kube/objects.ts'
import { configMaps, secrets } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { type CertificateAuthority, createCa, issueServingCertificate } from '../../src/pki/index.ts'
import { CA_CERT_KEY, CA_NAME, CA_PRIVATE_KEY, GATEWAY_SERVICE, PROXY_LABELS } from '../../src/resource/names.ts'

/**
 * The gateway's serving certificate, signed by the authority that the installation keeps in a Secret (made by the first
 * replica that starts) and publishes in a ConfigMap, where those look who reach the gateway directly.
 */
export async function servingCertificate(
  kube: Kube,
  namespace: string,
  pod: { name: string; ips: readonly string[] },
): Promise<{ cert: string; key: string }> {
  const ca = await authority(kube, namespace)
  return issueServingCertificate(ca, {
    dnsNames: [`${GATEWAY_SERVICE}.${namespace}.svc`, `${pod.name}.${GATEWAY_SERVICE}.${namespace}.svc`, 'localhost'],
    ips: [...pod.ips],
  })
}

async function authority(kube: Kube, namespace: string): Promise<CertificateAuthority> {
  const stored = await kube.find<Secret>(secrets, namespace, CA_NAME)
  const metadata = { name: CA_NAME, namespace, labels: { ...PROXY_LABELS } }
  if (!stored?.data) {
    const ca = await createCa()
    const data = { [CA_CERT_KEY]: encode(ca.cert), [CA_PRIVATE_KEY]: encode(ca.key) }
    const created = await createIfAbsent(() => kube.create<Secret>(secrets, { metadata, type: 'Opaque', data }))
    // Another replica was first.
    if (!created) return authority(kube, namespace)
    return publish(kube, metadata, ca)
  }
  const ca = { cert: decode(stored.data[CA_CERT_KEY]), key: decode(stored.data[CA_PRIVATE_KEY]) }
  return publish(kube, metadata, ca)
}

async function publish(
  kube: Kube,
  metadata: { name: string; namespace: string },
  ca: CertificateAuthority,
): Promise<CertificateAuthority> {
  const published = await kube.find<ConfigMap>(configMaps, metadata.namespace, CA_NAME)
  if (published === undefined) {
    await createIfAbsent(() => kube.create<ConfigMap>(configMaps, { metadata, data: { [CA_CERT_KEY]: ca.cert } }))
  } else if (published.data?.[CA_CERT_KEY] !== ca.cert) {
    const patch = { data: { [CA_CERT_KEY]: ca.cert } }
    await kube.patch<ConfigMap>(configMaps, metadata.namespace, CA_NAME, patch, { type: 'merge' })
  }
  return ca
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

const encode = (text: string): string => Buffer.from(text).toString('base64')
const decode = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString()
