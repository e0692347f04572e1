import { InterceptError } from '../../../src/errors.ts'
import type { Deployment, LabelSelector, Pod, Service, StatefulSet } from '../../../src/kube/objects.ts'
import { daemonSets, deployments, pods, statefulSets } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { originalSelector } from '../../../src/takeover/selector.ts'
import { findService, parseTarget, type Target } from '../../agent/target.ts'

/** What the user typed: `svc/orders`, `deploy/orders`, `sts/db`, `pod/orders-0`, `orders` (a Service). */
export type PodTarget = Target | { readonly kind: 'pod'; readonly name: string }

/** A pod, or what the pods of a workload would be where none runs: that has no name and no status. */
export interface FoundPod {
  readonly pod: Pod
  readonly runs: boolean
  /** Where the target is one. */
  readonly service: Service | undefined
}

type Workload = Deployment | StatefulSet

/** @throws InterceptError 'bad-target' */
export function parsePodTarget(text: string): PodTarget {
  const [, name] = /^(?:po|pod|pods)\/([a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/.exec(text) ?? []
  if (name !== undefined) return { kind: 'pod', name }
  try {
    return parseTarget(text)
  } catch (error) {
    if (!(error instanceof InterceptError)) throw error
    throw new InterceptError('bad-target', `"${text}" is no Service, workload or pod`, {
      fix: 'intercept env svc/NAME, deploy/NAME, sts/NAME or pod/NAME',
    })
  }
}

/** The pod whose environment is meant; ready ones first, then the youngest. @throws InterceptError 'no-pod' … */
export async function findPod(kube: Kube, namespace: string, target: PodTarget): Promise<FoundPod> {
  if (target.kind === 'pod') {
    return { pod: await kube.get<Pod>(pods, namespace, target.name), runs: true, service: undefined }
  }
  if (target.kind === 'service') return podOfService(kube, namespace, await findService(kube, namespace, target))
  const type = target.kind === 'deployment' ? deployments : statefulSets
  const workload = await kube.get<Workload>(type, namespace, target.name)
  const pod = await podOf(kube, namespace, selectorText(workload.spec.selector))
  return { pod: pod ?? templateOf(workload), runs: pod !== undefined, service: undefined }
}

async function podOfService(kube: Kube, namespace: string, service: Service): Promise<FoundPod> {
  const { name } = service.metadata
  const selector = originalSelector(service)
  if (Object.keys(selector).length === 0) {
    throw new InterceptError('service-without-selector', `Service ${namespace}/${name} selects no pods`, {
      fix: 'intercept env pod/NAME',
    })
  }
  const pod = await podOf(kube, namespace, selectorText({ matchLabels: selector }))
  if (pod) return { pod, runs: true, service }
  const workloads = await Promise.all(
    [deployments, statefulSets, daemonSets].map((type) => kube.list<Workload>(type, { namespace })),
  )
  const workload = workloads.flat().find(({ spec }) => {
    const labels = spec.template.metadata?.labels ?? {}
    return Object.entries(selector).every(([key, value]) => labels[key] === value)
  })
  if (workload) return { pod: templateOf(workload), runs: false, service }
  throw new InterceptError(
    'no-pod',
    `no pod runs behind Service ${namespace}/${name}, and no workload would make one`,
    {
      fix: `kubectl -n ${namespace} get pods -l ${selectorText({ matchLabels: selector })}`,
    },
  )
}

async function podOf(kube: Kube, namespace: string, labelSelector: string): Promise<Pod | undefined> {
  const all = await kube.list<Pod>(pods, { namespace, labelSelector })
  return all
    .filter((pod) => rankOf(pod) > 0)
    .sort(
      (a, b) =>
        rankOf(b) - rankOf(a) || (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''),
    )[0]
}

/** 0: it does not run any more. */
function rankOf({ metadata, status }: Pod): number {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0
  if (metadata.deletionTimestamp) return 1
  if (status?.phase !== 'Running') return 2
  return status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ? 4 : 3
}

function templateOf({ metadata, spec }: Workload): Pod {
  const { template } = spec
  return {
    metadata: { name: '', ...(metadata.namespace ? { namespace: metadata.namespace } : {}), ...template.metadata },
    spec: template.spec,
  }
}

/** As the API server reads it in a query. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const terms = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
  })
  return [...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`), ...terms].join(',')
}
