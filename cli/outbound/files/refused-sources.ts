import type { Kube } from '../../../src/kube/types.ts'
import { type Refusal, type RunningContainer, readInPod } from './in-pod.ts'
import type { PlannedMount } from './plan.ts'
import type { FilesTold } from './told.ts'
import type { VolumeFile, VolumeFiles } from './volume-files.ts'
import type { VolumeSource } from './volume-source.ts'

/** A volume some of whose sources the user may not read. */
export interface RefusedVolume {
  readonly mounts: readonly PlannedMount[]
  readonly sources: readonly VolumeSource[]
}

/** Reads in the running container what the user may not read in the cluster, and tells once for all volumes. */
export class RefusedSources {
  readonly #kube: Kube
  readonly #running: RunningContainer | undefined
  readonly #read: string[] = []
  readonly #refused = new Map<string, { readonly refusal: Refusal; readonly mountPaths: string[] }>()

  constructor(kube: Kube, running: RunningContainer | undefined) {
    this.#kube = kube
    this.#running = running
  }

  /**
   * What the container has of a volume, by path in the volume; undefined where nothing is refused, or where it cannot be
   * asked. @throws KubeError where the cluster does not answer
   */
  async read({ mounts, sources }: RefusedVolume): Promise<VolumeFiles | undefined> {
    const running = this.#running
    if (sources.length === 0 || !running) return undefined
    const whole = mounts.find(({ subPath }) => subPath === '')
    let files: Map<string, VolumeFile> | undefined
    for (const { mountPath, subPath } of whole ? [whole] : mounts) {
      const found = await readInPod(this.#kube, running, mountPath, subPath === '' ? namesOf(sources) : undefined)
      if ('refused' in found) {
        const others = this.#refused.get(found.refused)?.mountPaths ?? []
        this.#refused.set(found.refused, { refusal: found, mountPaths: [...others, mountPath] })
        continue
      }
      files ??= new Map()
      for (const [path, file] of found) files.set([subPath, path].filter((part) => part !== '').join('/'), file)
    }
    if (files) this.#read.push(...mounts.map(({ mountPath }) => mountPath))
    return files
  }

  tell(onTold: (told: FilesTold) => void): void {
    for (const { refusal, mountPaths } of this.#refused.values()) {
      const message = `${mountPaths.join(', ')} cannot be read in the running pod either: ${refusal.refused}`
      onTold({ code: 'files-not-asked', message, fix: refusal.fix })
    }
    if (this.#read.length === 0) return
    const what = `${this.#read.join(', ')} ${this.#read.length === 1 ? 'is' : 'are'} read once`
    const message = `${what}, in pod ${this.#running?.pod}, and not followed: you may not read what it is made of`
    onTold({ code: 'files-not-followed', message })
  }
}

/** Paths of the refused sources, where all of them are known. */
function namesOf(refused: readonly VolumeSource[]): string[] | undefined {
  const names: string[] = []
  for (const source of refused) {
    if ((source.kind !== 'config-map' && source.kind !== 'secret') || !source.items) return undefined
    names.push(...source.items.map(({ path }) => path))
  }
  return names
}
