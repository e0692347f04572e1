import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../../src/kube/objects.ts'
import type { Kube } from '../../src/kube/types.ts'
import { flagOf, type ParsedOptions, textOf } from '../command.ts'
import type { Ui } from '../ui/ui.ts'
import { chooseContainer } from './env/container.ts'
import { localAdditions } from './env/environment-options.ts'
import { withLocal } from './env/local-additions.ts'
import { environmentOf } from './env/pod-environment.ts'
import { findPod, type PodTarget } from './env/pod-target.ts'
import type { Variable } from './env/resolve.ts'
import { warnOfMissing } from './env/warn-of-missing.ts'
import { openPodFiles, type PodFiles } from './files/pod-files.ts'

/** What a container of a pod has that a program needs: variables and files. */
export interface PodSurroundings {
  /** undefined where none runs: all is as the workload's template has it. */
  readonly pod: string | undefined
  readonly container: string | undefined
  readonly values: ReadonlyMap<string, Variable>
  readonly unset: readonly string[]
  readonly hostAliases: NonNullable<Pod['spec']['hostAliases']>
  readonly files: PodFiles
}

/**
 * Looks it all up and writes the files. What cannot be had is told; the program starts all the same.
 * @param room a directory of ours; the files are in `files` below it
 * @throws InterceptError, KubeError
 */
export async function podSurroundings(
  { kube, ui }: { readonly kube: Kube; readonly ui: Ui },
  target: PodTarget,
  options: ParsedOptions,
  room: string,
): Promise<PodSurroundings> {
  const local = await localAdditions(options)
  const { namespace } = kube
  const found = await findPod(kube, namespace, target)
  const container = chooseContainer(found.pod, found.service, textOf(options, 'container'))
  const environment = await environmentOf(kube, namespace, found, { container: container.name })
  const values = withLocal(environment.values, local)
  warnOfMissing(ui, environment, values, local)
  const root = join(room, 'files')
  await mkdir(root, { mode: 0o700 })
  const files = await openPodFiles(kube, {
    namespace,
    pod: found.pod,
    container,
    root,
    mountPvc: flagOf(options, 'mount-pvc'),
    environment: environment.values,
    onTold: ({ code, message, fix }) => ui.warnAside(code, message, fix),
  })
  for (const { mountPath, why, fix } of files.missing)
    ui.warnAside('file-missing', `${mountPath} is missing: ${why}`, fix)
  return {
    pod: environment.pod,
    container: container.name,
    values,
    unset: local.unset,
    hostAliases: found.pod.spec.hostAliases ?? [],
    files,
  }
}
