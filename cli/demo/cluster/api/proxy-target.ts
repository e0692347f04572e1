import type { KubeObject } from '../../../../src/kube/types.ts'
import { ApiError } from '../api-error.ts'
import { dictOf, dig, listOf } from '../json.ts'
import type { Address, PodPorts } from '../network/reach.ts'
import type { Store } from '../store/store.ts'

export interface ProxyTarget extends Address {
  readonly secure: boolean
}

/** `[scheme:]name[:port]`, as the name of a pods/proxy or services/proxy request is written. */
export function splitProxyName(text: string): { secure: boolean; name: string; port: string } {
  const parts = text.split(':')
  if (parts.length > 3) throw ApiError.badRequest(`invalid proxy request ${JSON.stringify(text)}`)
  const [scheme, name, port] = parts.length === 3 ? parts : ['', ...parts]
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') {
    throw ApiError.badRequest(`invalid proxy request ${JSON.stringify(text)}`)
  }
  return { secure: scheme === 'https', name: name ?? '', port: port ?? '' }
}

export function podTarget(store: Store, ports: PodPorts, namespace: string, text: string): ProxyTarget {
  const { secure, name, port } = splitProxyName(text)
  const pod = store.get('pods', namespace, name)
  if (!pod) throw ApiError.notFound({ group: '', plural: 'pods', kind: 'Pod' }, name)
  const first = listOf(dig(pod, 'spec', 'containers')).flatMap((container) => listOf(dictOf(container).ports))[0]
  const wanted = port === '' ? Number(dictOf(first).containerPort ?? 80) : port
  const address = ports.reach(pod, wanted)
  if (!address) throw ApiError.badRequest('address not allowed')
  return { ...address, secure }
}

/** From the Endpoints object, and only addresses of pods of the namespace, as the API server does. */
export function serviceTarget(store: Store, namespace: string, text: string): ProxyTarget {
  const { secure, name, port } = splitProxyName(text)
  const service = store.get('services', namespace, name)
  if (!service) throw ApiError.notFound({ group: '', plural: 'services', kind: 'Service' }, name)
  const unavailable = () => ApiError.unavailable(`no endpoints available for service "${text.replace(/^https?:/, '')}"`)
  const endpoints = store.get('endpoints', namespace, name)
  const servicePorts = listOf(dig(service, 'spec', 'ports')).map(dictOf)
  const numbered = /^\d+$/.test(port) ? servicePorts.find((each) => each.port === Number(port)) : undefined
  const portName = numbered ? (numbered.name ?? '') : port
  const candidates: Address[] = []
  for (const subset of listOf(dig(endpoints, 'subsets')).map(dictOf)) {
    const ports = listOf(subset.ports).map(dictOf)
    const wanted =
      port === '' && ports.length > 0 && servicePorts.length === 1
        ? ports[0]
        : ports.find((each) => (each.name ?? '') === portName)
    if (!wanted) continue
    for (const address of listOf(subset.addresses).map(dictOf)) {
      if (isPodAddress(store, namespace, address.targetRef, String(address.ip))) {
        candidates.push({ host: String(address.ip), port: Number(wanted.port) })
      }
    }
  }
  const chosen = candidates[Math.floor(Math.random() * candidates.length)]
  if (!chosen) throw unavailable()
  return { ...chosen, secure }
}

function isPodAddress(store: Store, namespace: string, targetRef: unknown, ip: string): boolean {
  const { kind, name } = dictOf(targetRef)
  if (kind !== 'Pod') return false
  const pod: KubeObject | undefined = store.get('pods', namespace, String(name))
  return dig(pod, 'status', 'podIP') === ip
}
