import { InterceptError } from '../../src/errors.ts'
import type { Deployment, Service, StatefulSet } from '../../src/kube/objects.ts'
import { deployments, services, statefulSets } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { MANAGED_BY } from '../../src/resource/names.ts'
import { originalSelector } from '../../src/takeover/selector.ts'

/** What the user typed: `svc/orders`, `deploy/orders`, `orders`. */
export interface Target {
  readonly kind: 'service' | 'deployment' | 'statefulset'
  readonly name: string
}

const kinds: ReadonlyMap<string, Target['kind']> = new Map([
  ['svc', 'service'],
  ['service', 'service'],
  ['services', 'service'],
  ['deploy', 'deployment'],
  ['deployment', 'deployment'],
  ['deployments', 'deployment'],
  ['sts', 'statefulset'],
  ['statefulset', 'statefulset'],
  ['statefulsets', 'statefulset'],
])

/** @throws InterceptError 'bad-target' */
export function parseTarget(text: string): Target {
  const parts = text.split('/')
  const [first = '', second] = parts
  const kind = second === undefined ? 'service' : kinds.get(first.toLowerCase())
  const name = second ?? first
  if (!kind || parts.length > 2 || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) {
    throw new InterceptError('bad-target', `"${text}" is neither a Service nor a workload`, {
      fix: 'intercept svc/NAME --port PORT, or deploy/NAME where one Service selects it',
    })
  }
  return { kind, name }
}

/** The Service that is meant. @throws InterceptError 'service-not-found', 'ambiguous-service' */
export async function findService(kube: Kube, namespace: string, target: Target): Promise<Service> {
  if (target.kind === 'service') {
    const found = await kube.find<Service>(services, namespace, target.name)
    if (found) return found
    throw await notFound(kube, namespace, `Service ${namespace}/${target.name} does not exist`, target.name)
  }
  const type = target.kind === 'deployment' ? deployments : statefulSets
  const [workload, all] = await Promise.all([
    kube.find<Deployment | StatefulSet>(type, namespace, target.name),
    kube.list<Service>(services, { namespace }),
  ])
  if (!workload)
    throw await notFound(kube, namespace, `${type.kind} ${namespace}/${target.name} does not exist`, target.name)
  const labels = workload.spec?.template?.metadata?.labels ?? {}
  const selecting = all.filter(
    (service) => service.metadata.labels?.['app.kubernetes.io/managed-by'] !== MANAGED_BY && selects(service, labels),
  )
  const [only] = selecting
  if (only && selecting.length === 1) return only
  const what = `${type.kind} ${namespace}/${target.name}`
  if (!only) {
    throw new InterceptError('service-not-found', `no Service in ${namespace} selects the pods of ${what}`, {
      fix: `kubectl -n ${namespace} get services`,
    })
  }
  const names = selecting.map((service) => service.metadata.name)
  throw new InterceptError('ambiguous-service', `several Services select the pods of ${what}: ${names.join(', ')}`, {
    fix: `intercept svc/${names[0]} -n ${namespace} --port PORT`,
  })
}

function selects(service: Service, labels: Readonly<Record<string, string>>): boolean {
  const selector = Object.entries(originalSelector(service))
  return selector.length > 0 && selector.every(([key, value]) => labels[key] === value)
}

async function notFound(kube: Kube, namespace: string, message: string, name: string): Promise<InterceptError> {
  const all = await kube.list<Service>(services, { namespace })
  const names = all
    .filter((service) => service.metadata.labels?.['app.kubernetes.io/managed-by'] !== MANAGED_BY)
    .map((service) => service.metadata.name)
  const close = names.filter((other) => other.includes(name) || name.includes(other))
  const [first] = close
  const others =
    names.length === 0 ? 'there is no Service in that namespace' : `Services there: ${names.slice(0, 10).join(', ')}`
  return new InterceptError('service-not-found', `${message}; ${others}`, {
    fix: first ? `intercept svc/${first} -n ${namespace} --port PORT` : 'kubectl get services --all-namespaces',
  })
}
