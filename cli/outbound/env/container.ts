import { InterceptError } from '../../../src/errors.ts'
import type { Container, Pod, Service } from '../../../src/kube/objects.ts'

const defaultContainer = 'kubectl.kubernetes.io/default-container'

/**
 * The container that is meant: the one that was named, else that of the annotation, else the one with a target port of
 * the Service, else the first. @throws InterceptError 'no-such-container'
 */
export function chooseContainer(pod: Pod, service: Service | undefined, wanted: string | undefined): Container {
  const { containers, initContainers = [] } = pod.spec
  const all = [...containers, ...initContainers]
  if (wanted !== undefined) {
    const found = all.find(({ name }) => name === wanted)
    if (found) return found
    const names = all.map(({ name }) => name)
    throw new InterceptError('no-such-container', `there is no container ${wanted}; there are: ${names.join(', ')}`, {
      fix: `--container ${names[0] ?? 'NAME'}`,
    })
  }
  const annotated = pod.metadata.annotations?.[defaultContainer]
  const chosen =
    containers.find(({ name }) => name === annotated) ??
    containers.find((container) => hasPortOf(container, service)) ??
    containers[0]
  if (chosen) return chosen
  throw new InterceptError('no-such-container', `pod ${pod.metadata.name} has no container`)
}

function hasPortOf({ ports = [] }: Container, service: Service | undefined): boolean {
  return (service?.spec.ports ?? []).some(({ port, targetPort = port, protocol = 'TCP' }) =>
    ports.some(
      (own) =>
        (own.protocol ?? 'TCP') === protocol && (own.name === targetPort || own.containerPort === Number(targetPort)),
    ),
  )
}
