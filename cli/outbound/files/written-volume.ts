import { AtomicDirectory } from './atomic-directory.ts'
import type { MountPoints } from './mount-points.ts'
import { PlainDirectory } from './plain-directory.ts'
import type { MissingFiles, PlannedMount, PlannedVolume } from './plan.ts'
import { atSubPath } from './sub-path.ts'
import { type VolumeDirectory, writeVolumeFile } from './volume-directory.ts'
import { type FilesInputs, type Gap, type VolumeFiles, volumeFiles } from './volume-files.ts'

/** What came of one mount. */
export interface Mounted {
  /** undefined: nothing is there. */
  readonly kind: 'directory' | 'file' | undefined
  readonly missing: readonly MissingFiles[]
}

export type Refreshed =
  | { readonly is: 'same' }
  | { readonly is: 'changed'; readonly mountPaths: readonly string[] }
  /** Something that was there has gone from the cluster: the files stay, as they do in a pod. */
  | { readonly is: 'kept'; readonly mountPaths: readonly string[]; readonly why: string }

/** A volume whose files are written from what the cluster has, wherever it is mounted. */
export class WrittenVolume {
  readonly #volume: Extract<PlannedVolume, { kind: 'written' }>
  readonly #inputs: FilesInputs
  readonly #points: MountPoints
  readonly #directories = new Map<string, VolumeDirectory>()
  readonly #begun: { readonly files: VolumeFiles; readonly gaps: readonly Gap[] }
  #gaps: readonly Gap[]
  #kept = ''

  /** @param inputs read anew at each refresh */
  constructor(volume: Extract<PlannedVolume, { kind: 'written' }>, inputs: FilesInputs, points: MountPoints) {
    this.#volume = volume
    this.#inputs = inputs
    this.#points = points
    this.#begun = volumeFiles(volume.sources, inputs)
    this.#gaps = this.#begun.gaps
  }

  /** Writes one of its mounts. @param covered clean relative paths of mounts within it @throws system errors */
  async mount(mount: PlannedMount, covered: readonly string[]): Promise<Mounted> {
    const { mountPath, subPath } = mount
    const { files, gaps } = this.#begun
    if (subPath !== '') return this.#mountPart(mountPath, subPath, covered)
    const missing = gaps.map(({ path, why, fix }) => ({
      mountPath: path === undefined ? mountPath : `${mountPath}/${path}`,
      why,
      fix,
    }))
    if (files.size === 0 && gaps.length > 0 && gaps.every(({ kind }) => kind === 'refused')) {
      return { kind: undefined, missing }
    }
    const place = await this.#points.make(mountPath)
    const directory = makesLinks ? new AtomicDirectory(place, covered) : new PlainDirectory(place, covered)
    await directory.write(files)
    this.#directories.set(mountPath, directory)
    return { kind: 'directory', missing }
  }

  /** Brings its mounts up to date; parts of a volume stay as they are, as in a pod. @throws system errors */
  async refresh(): Promise<Refreshed> {
    const { files, gaps } = volumeFiles(this.#volume.sources, this.#inputs)
    const mountPaths = [...this.#directories.keys()]
    const lost = gaps.find((gap) => !this.#gaps.some((known) => known.path === gap.path && known.why === gap.why))
    if (lost) {
      if (this.#kept === lost.why || mountPaths.length === 0) return { is: 'same' }
      this.#kept = lost.why
      return { is: 'kept', mountPaths, why: lost.why }
    }
    this.#kept = ''
    let changed = false
    for (const directory of this.#directories.values()) changed = (await directory.write(files)) || changed
    this.#gaps = gaps
    return changed ? { is: 'changed', mountPaths } : { is: 'same' }
  }

  async #mountPart(mountPath: string, subPath: string, covered: readonly string[]): Promise<Mounted> {
    const { files, gaps } = this.#begun
    const part = atSubPath(files, subPath)
    const missing = gaps
      .filter(({ path }) => path === undefined || path === subPath || path.startsWith(`${subPath}/`))
      .map(({ why, fix }) => ({ mountPath, why, fix }))
    if (!part && missing.length > 0) return { kind: undefined, missing }
    const place = await this.#points.make(mountPath)
    if (part && 'data' in part) {
      await writeVolumeFile(place, part)
      return { kind: 'file', missing: [] }
    }
    await new PlainDirectory(place, covered).write(part ?? new Map())
    if (part) return { kind: 'directory', missing }
    const why = `${this.#volume.from} has nothing at subPath ${subPath}: it is an empty folder, as in the pod`
    return { kind: 'directory', missing: [{ mountPath, why }] }
  }
}

/** Windows lets not everybody make symbolic links. */
const makesLinks = process.platform !== 'win32'
