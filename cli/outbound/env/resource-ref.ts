import type { Container, PodSpec, ResourceList } from '../../../src/kube/objects.ts'
import { divideUp, isZero } from './quantity.ts'

export type ResourceFieldRef = { containerName?: string; resource: string; divisor?: string | number }

/** Resources whose limit falls back to what the pod, then the node, has. Huge pages are never overcommitted. */
const fallingBack = new Set(['cpu', 'memory', 'ephemeral-storage'])

/** True where the value depends on the node that the pod is on. */
export function needsNode(reference: ResourceFieldRef, spec: PodSpec, own: Container): boolean {
  const { list, resource } = parts(reference)
  const container = containerOf(reference, spec, own)
  return list === 'limits' && fallingBack.has(resource) && !limitOf(container, spec, resource)
}

/**
 * The value of a `resourceFieldRef`, a whole number. undefined where it is the node's and `allocatable` is not known, or
 * where the reference names nothing.
 */
export function resourceValue(
  reference: ResourceFieldRef,
  spec: PodSpec,
  own: Container,
  allocatable: ResourceList | undefined,
): string | undefined {
  const { list, resource } = parts(reference)
  const container = containerOf(reference, spec, own)
  if (!container || (list !== 'limits' && list !== 'requests')) return undefined
  const { limits, requests } = container.resources ?? {}
  // A template has not been given the requests that its limits imply.
  let quantity = list === 'limits' ? limits?.[resource] : (requests?.[resource] ?? limits?.[resource])
  if (needsNode(reference, spec, own)) {
    if (!allocatable) return undefined
    quantity = allocatable[resource]
  } else if (list === 'limits' && fallingBack.has(resource)) quantity = limitOf(container, spec, resource)
  return String(divideUp(quantity ?? 0, reference.divisor ?? 1))
}

function limitOf(container: Container | undefined, spec: PodSpec, resource: string): string | number | undefined {
  return [container?.resources?.limits?.[resource], spec.resources?.limits?.[resource]].find(
    (limit) => limit !== undefined && !isZero(limit),
  )
}

function parts({ resource }: ResourceFieldRef): { list: string; resource: string } {
  const dot = resource.indexOf('.')
  return { list: resource.slice(0, Math.max(dot, 0)), resource: resource.slice(dot + 1) }
}

function containerOf({ containerName }: ResourceFieldRef, spec: PodSpec, own: Container): Container | undefined {
  if (!containerName) return own
  return [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === containerName)
}
