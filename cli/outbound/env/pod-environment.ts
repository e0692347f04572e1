import type { Pod } from '../../../src/kube/objects.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { chooseContainer } from './container.ts'
import { readInputs } from './known-objects.ts'
import { type FoundPod, findPod, type PodTarget } from './pod-target.ts'
import { type MissingVariable, resolveEnvironment, type Variable } from './resolve.ts'
import { completeFrom, readRunning } from './running-environment.ts'

export interface PodEnvironment {
  readonly values: Map<string, Variable>
  readonly missing: readonly MissingVariable[]
  readonly container: string
  /** undefined where none runs: the values are those of the workload's template. */
  readonly pod: string | undefined
  /** Why the running container could not be asked for what is missing. */
  readonly notAsked?: { readonly refused: string; readonly fix: string | undefined }
}

/**
 * The environment of the pods behind a target, as a container has it that starts now. What the user may not read is taken
 * from the running container, where commands may be run in it. @throws InterceptError, KubeError
 */
export async function podEnvironment(
  kube: Kube,
  namespace: string,
  target: PodTarget,
  options: { readonly container?: string | undefined } = {},
): Promise<PodEnvironment> {
  return environmentOf(kube, namespace, await findPod(kube, namespace, target), options)
}

/** The same for a pod that was found. @throws InterceptError 'no-such-container', KubeError */
export async function environmentOf(
  kube: Kube,
  namespace: string,
  { pod, runs, service }: FoundPod,
  options: { readonly container?: string | undefined } = {},
): Promise<PodEnvironment> {
  const container = chooseContainer(pod, service, options.container)
  const resolved = resolveEnvironment(await readInputs(kube, namespace, withNamespace(pod, namespace), container))
  const { values, missing } = resolved
  const found = { values, missing, container: container.name, pod: runs ? pod.metadata.name : undefined }
  if (missing.length + resolved.uncertain.size === 0 || !isRunning(pod, container.name)) return found
  const running = await readRunning(kube, namespace, pod.metadata.name, container.name)
  return 'refused' in running ? { ...found, notAsked: running } : { ...found, ...completeFrom(resolved, running) }
}

function withNamespace(pod: Pod, namespace: string): Pod {
  return { ...pod, metadata: { ...pod.metadata, namespace } }
}

/** Whether commands can be run in this container of the pod. */
export function isRunning({ status }: Pod, container: string): boolean {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].some(
    ({ name, state }) => name === container && state?.running !== undefined,
  )
}
