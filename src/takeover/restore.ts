import { codeOf, InterceptError } from '../errors.ts'
import type { EndpointSlice, Service } from '../kube/objects.ts'
import { endpointSlices, services } from '../kube/resources.ts'
import type { Kube } from '../kube/types.ts'
import { MANAGED_BY, originServiceName, SERVICE_LABEL } from '../resource/names.ts'
import { replicaSlices, SERVICE_NAME_LABEL, SLICE_MANAGER_LABEL } from './endpoints.ts'
import { ORIGIN_SERVICE_SELECTOR } from './origin-service.ts'
import { nextStep, type Observed, type Step } from './plan.ts'
import { hasKey } from './selector.ts'
import { carryOut } from './steps.ts'

/** Longest wait for Kubernetes or for proxy pods to do their part of one release, in milliseconds. */
const releaseTimeoutMs = 30_000
const pollMs = 200

/** Tells what is done to which Service (`namespace/name`). */
export type RestoreProgress = (service: string, step: Step) => void

/**
 * Services that have something of ours, found from the cluster's state alone. A Service whose only trace is the
 * selector key is found as well, at the price of listing all.
 */
export async function touchedServices(kube: Kube, namespace: string | undefined): Promise<Service[]> {
  const [all, origins, slices] = await Promise.all([
    kube.list<Service>(services, { namespace }),
    kube.list<Service>(services, { namespace, labelSelector: ORIGIN_SERVICE_SELECTOR }),
    kube.list<EndpointSlice>(endpointSlices, { namespace, labelSelector: `${SLICE_MANAGER_LABEL}=${MANAGED_BY}` }),
  ])
  const marked = new Set([
    ...origins.map(({ metadata }) => `${metadata.namespace}/${metadata.labels?.[SERVICE_LABEL]}`),
    ...slices.map(({ metadata }) => `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL]}`),
  ])
  return all.filter(
    (service) => hasKey(service) || marked.has(`${service.metadata.namespace}/${service.metadata.name}`),
  )
}

/** Gives every touched Service back, whether or not anything of ours is alive. @returns how many there were */
export async function restoreAll(
  kube: Kube,
  namespace: string | undefined,
  progress: RestoreProgress,
): Promise<number> {
  const touched = await touchedServices(kube, namespace)
  for (const { metadata } of touched) await restore(kube, metadata.namespace ?? 'default', metadata.name, progress)
  return touched.length
}

/** Gives one Service back: the release of plan.ts with no replica to wait for. @throws InterceptError 'restore-timeout' */
export async function restore(kube: Kube, namespace: string, name: string, progress: RestoreProgress): Promise<void> {
  const deadline = Date.now() + releaseTimeoutMs
  for (;;) {
    const observed = await observe(kube, namespace, name)
    if (!observed) return
    const step = nextStep(observed)
    if (step.kind === 'done') return
    if (step.kind !== 'wait') {
      if (await attempt(kube, observed.service, step)) progress(`${namespace}/${name}`, step)
      if (Date.now() > deadline) throw gaveUp(namespace, name, step.kind)
      continue
    }
    if (Date.now() > deadline) throw gaveUp(namespace, name, step.for)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** @returns false where somebody else changed the Service meanwhile, a living leader perhaps: it has to be looked at again */
async function attempt(kube: Kube, service: Service, step: Step): Promise<boolean> {
  try {
    await carryOut(kube, service, step)
    return true
  } catch (error) {
    if (codeOf(error) !== 'conflict') throw error
    return false
  }
}

function gaveUp(namespace: string, name: string, waitingFor: string): InterceptError {
  return new InterceptError(
    'restore-timeout',
    `gave up on Service ${namespace}/${name}: still waiting for ${waitingFor}`,
    { fix: `kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${name}` },
  )
}

async function observe(kube: Kube, namespace: string, name: string): Promise<Observed | undefined> {
  const labelSelector = `${SERVICE_NAME_LABEL} in (${name},${originServiceName(name)})`
  const [service, origin, slices] = await Promise.all([
    kube.find<Service>(services, namespace, name),
    kube.find<Service>(services, namespace, originServiceName(name)),
    kube.list<EndpointSlice>(endpointSlices, { namespace, labelSelector }),
  ])
  return service && { service, origin, slices, replicas: [], wanted: false }
}

/** True where nothing of ours is at the Service any more. */
export async function isReleased(kube: Kube, namespace: string, name: string): Promise<boolean> {
  const observed = await observe(kube, namespace, name)
  if (!observed) return true
  return !hasKey(observed.service) && observed.origin === undefined && replicaSlices(observed.slices, name).length === 0
}
