import type { Container as KubeContainer, Pod as KubePod, Node, Service } from '../../../../src/kube/objects.ts'
import { expand as expandText } from '../../../outbound/env/expansion.ts'
import { type KeyedText, type Known, resolveEnvironment } from '../../../outbound/env/resolve.ts'
import { dictOf, dig } from '../json.ts'
import type { Address } from '../network/reach.ts'
import type { Store } from '../store/store.ts'
import { NotReadyError } from './not-ready-error.ts'
import type { Container, Pod } from './pod.ts'

export interface EnvironmentContext {
  readonly store: Store
  readonly podIp: string
  readonly hostIp: string
  /** Where the API server is reached from the pod. */
  readonly apiServer: Address
  addressOf(namespace: string, service: string, port: number): Address | undefined
}

/** The variables that the pod spec gives the container: service links, envFrom, env. Throws NotReadyError. */
export function environmentOf(pod: Pod, container: Container, context: EnvironmentContext): Record<string, string> {
  const { store, podIp, hostIp } = context
  const namespace = pod.metadata.namespace ?? ''
  const status = { podIP: podIp, podIPs: [{ ip: podIp }], hostIP: hostIp, hostIPs: [{ ip: hostIp }] }
  const { values, missing } = resolveEnvironment({
    pod: { ...pod, status } as unknown as KubePod,
    container: container as unknown as KubeContainer,
    services: { found: store.list<Service>('services', namespace) },
    apiServer: knownAs(store.get<Service>('services', 'default', 'kubernetes')),
    allocatable: knownAs(store.get<Node>('nodes', undefined, pod.spec.nodeName ?? '')?.status?.allocatable),
    configMap: (name) => textOf(store, 'configmaps', namespace, name),
    secret: (name) => textOf(store, 'secrets', namespace, name),
    addressOf: ({ metadata }, { port }) =>
      metadata.namespace === 'default' && metadata.name === 'kubernetes'
        ? context.apiServer
        : context.addressOf(namespace, metadata.name, port),
  })
  const [first] = missing
  if (first) throw new NotReadyError('CreateContainerConfigError', first.why)
  return Object.fromEntries([...values].map(([name, { value }]) => [name, value]))
}

/** `$(NAME)` where NAME is known; `$$(NAME)` stands for `$(NAME)`. */
export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return expandText(text, (name) => variables[name])
}

function textOf(store: Store, resource: 'configmaps' | 'secrets', namespace: string, name: string): Known<KeyedText> {
  const object = store.get(resource, namespace, name)
  if (!object) return { absent: true, why: `${resource.slice(0, -1)} "${name}" not found` }
  const encoding = resource === 'secrets' ? 'base64' : 'utf8'
  const data = Object.entries(dictOf(dig(object, 'data')))
  return { found: Object.fromEntries(data.map(([key, value]) => [key, String(Buffer.from(String(value), encoding))])) }
}

function knownAs<T>(found: T | undefined): Known<T> {
  return found === undefined ? { absent: true } : { found }
}
