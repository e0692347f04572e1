import type { Kube } from '../../../src/kube/types.ts'
import { copyFromPod, type RunningContainer } from './in-pod.ts'
import type { MountPoints } from './mount-points.ts'
import type { PlannedMount } from './plan.ts'
import { removeTree } from './remove-tree.ts'
import type { FilesTold } from './told.ts'
import type { Mounted } from './written-volume.ts'

/**
 * A read-only copy of a persistent volume's mount, out of the running container; it does not follow the volume.
 * @throws KubeError where the cluster does not answer, system errors
 */
export async function copyClaim(
  kube: Kube,
  running: RunningContainer | undefined,
  { mountPath, volume }: PlannedMount,
  points: MountPoints,
  { namespace, onTold }: { readonly namespace: string; onTold(told: FilesTold): void },
): Promise<Mounted> {
  const lost = (why: string, fix: string | undefined): Mounted => ({
    kind: undefined,
    missing: [{ mountPath, why: `${volume.from} cannot be copied: ${why}`, fix }],
  })
  if (!running) return lost('its container does not run', `kubectl -n ${namespace} get pods`)
  const target = await points.make(mountPath)
  const done = await copyFromPod(kube, running, { mountPath, target }).catch(async (error: unknown) => {
    await removeTree(target)
    throw error
  })
  if ('refused' in done) {
    await removeTree(target)
    return lost(done.refused, done.fix)
  }
  const { kind, skipped, said } = done
  if (skipped.length > 0 || said !== '') {
    const what = skipped.length > 0 ? `without ${shortList(skipped)}` : `but tar said: ${said}`
    onTold({ code: 'files-incomplete', message: `${mountPath} is copied from ${volume.from}, ${what}` })
  }
  return { kind, missing: [] }
}

function shortList(paths: readonly string[]): string {
  const some = paths.slice(0, 3).join(', ')
  return paths.length > 3 ? `${some} and ${paths.length - 3} more` : some
}
