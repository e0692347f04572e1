/**
 * What a container has mounted, as files of this machine. plan says what there is, volume-files what is in it (both pure,
 * as the kubelet has it); cluster-inputs reads and follows ConfigMaps, Secrets and tokens; atomic-directory writes; in-pod
 * reads what only the running pod can tell; files-root is where it all lies. Nothing here runs the program or mounts.
 */
import { mkdir } from 'node:fs/promises'
import { codeOf, messageOf } from '../../../src/errors.ts'
import type { Container, Pod } from '../../../src/kube/objects.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { isRunning } from '../env/pod-environment.ts'
import { withApiAccess } from './api-access.ts'
import { ClusterInputs } from './cluster-inputs.ts'
import { copyClaim } from './copied-claim.ts'
import type { RunningContainer } from './in-pod.ts'
import { MountPoints } from './mount-points.ts'
import { type FilesPlan, type MissingFiles, type PlannedMount, planFiles } from './plan.ts'
import { RefusedSources } from './refused-sources.ts'
import { removeTree } from './remove-tree.ts'
import type { FilesTold } from './told.ts'
import { inside } from './volume-directory.ts'
import { isRefused, type VolumeFiles } from './volume-files.ts'
import { below } from './volume-path.ts'
import { type Mounted, WrittenVolume } from './written-volume.ts'

export interface PodFilesOptions {
  readonly namespace: string
  /** A running pod, or a workload's template, whose name is empty (`findPod`). */
  readonly pod: Pod
  /** One of the pod's (`chooseContainer`). */
  readonly container: Container
  /** An empty folder (`makeFilesRoot`); closing removes it. */
  readonly root: string
  /** Copy persistent volumes out of the running pod. */
  readonly mountPvc: boolean
  /** The container's, as the pod has it: for `subPathExpr`. */
  readonly environment: ReadonlyMap<string, { readonly value: string }>
  onTold(told: FilesTold): void
}

export interface PodMount {
  /** Absolute, in the container. */
  readonly mountPath: string
  /** Absolute, below the root; `root/MOUNTPATH` leads there. */
  readonly source: string
  readonly kind: 'directory' | 'file'
  readonly readOnly: boolean
  /** `ConfigMap shop/settings`. */
  readonly from: string
}

export interface PodFiles {
  /** Those that contain others come before them. */
  readonly mounts: readonly PodMount[]
  readonly missing: readonly MissingFiles[]
  /** Stops following and removes the root with all that is in it; may be called more than once. */
  close(): Promise<void>
}

/**
 * Writes the files of a container's mounts below `root`, each at its mount path, and keeps them as the cluster has them.
 * What cannot be had is in `missing`. @throws KubeError where the cluster does not answer; then nothing is left behind
 */
export async function openPodFiles(kube: Kube, options: PodFilesOptions): Promise<PodFiles> {
  const files = new OpenPodFiles(kube, options)
  try {
    await files.open()
  } catch (error) {
    await files.close()
    throw error
  }
  return files
}

/** Holds volumes that are mounted more than once. */
const sharedFolder = '..volumes'

class OpenPodFiles implements PodFiles {
  readonly mounts: PodMount[] = []
  readonly missing: MissingFiles[] = []
  readonly #kube: Kube
  readonly #options: PodFilesOptions
  readonly #points: MountPoints
  readonly #volumes = new Map<string, WrittenVolume>()
  #inputs: ClusterInputs | undefined
  #plan: FilesPlan = { mounts: [], missing: [] }
  /** 'opening' and 'writing' note that something changed meanwhile. */
  #state: 'opening' | 'idle' | 'writing' | 'closed' = 'opening'
  #stale = false
  #writing: Promise<void> = Promise.resolve()

  constructor(kube: Kube, options: PodFilesOptions) {
    this.#kube = kube
    this.#options = options
    this.#points = new MountPoints(options.root)
  }

  async open(): Promise<void> {
    const { namespace, environment, mountPvc } = this.#options
    const given = { ...this.#options.pod, metadata: { ...this.#options.pod.metadata, namespace } }
    const { pod, container } = await withApiAccess(this.#kube, namespace, given, this.#options.container)
    this.#plan = planFiles(pod, container, { namespace, mountPvc, lookUp: (name) => environment.get(name)?.value })
    this.missing.push(...this.#plan.missing)
    const inputs = new ClusterInputs(this.#kube, { namespace, pod, container }, () => this.#onChange(), {
      onFailing: (error, until) => {
        const message = `the service account's token is not renewed, it is good until ${until.toLocaleTimeString()}: ${error.message}`
        this.#options.onTold({ code: 'token-not-renewed', message, fix: error.fix })
      },
      onRecovered: () =>
        this.#options.onTold({ code: 'token-renewed', message: "the service account's token is renewed again" }),
    })
    this.#inputs = inputs
    const volumes = new Map(this.#plan.mounts.map(({ volume }) => [volume.name, volume]))
    await inputs.open([...volumes.values()])
    const inPods = new RefusedSources(this.#kube, this.#running())
    for (const volume of volumes.values()) {
      if (volume.kind !== 'written') continue
      const mounts = this.#plan.mounts.filter((mount) => mount.volume.name === volume.name)
      const sources = volume.sources.filter((source) => isRefused(source, inputs))
      const inPod = await inPods.read({ mounts, sources })
      this.#volumes.set(volume.name, new WrittenVolume(volume, inputsOf(inputs, inPod), this.#points))
    }
    inPods.tell(this.#options.onTold)
    for (const mount of this.#plan.mounts) await this.#mount(mount)
    this.#tellUnfollowed(inputs)
    if (this.#state === 'opening') this.#state = 'idle'
    if (this.#stale) this.#onChange()
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    this.#inputs?.stop()
    await this.#writing
    await removeTree(this.#options.root)
  }

  async #mount(mount: PlannedMount): Promise<void> {
    const { mountPath, volume, readOnly } = mount
    try {
      const { kind, missing, source } = await this.#make(mount)
      for (const one of missing) this.#miss(one)
      if (kind === undefined) return
      this.mounts.push({
        mountPath,
        source: source ?? this.#points.pathOf(mountPath),
        kind,
        readOnly,
        from: volume.from,
      })
    } catch (error) {
      if (codeOf(error)?.startsWith('E') !== true) throw error
      this.missing.push({ mountPath, why: `it cannot be written here: ${messageOf(error)}` })
    }
  }

  /** Two sources may be missing for one reason. */
  #miss(one: MissingFiles): void {
    const isKnown = this.missing.some(({ mountPath, why }) => mountPath === one.mountPath && why === one.why)
    if (!isKnown) this.missing.push(one)
  }

  #make(mount: PlannedMount): Promise<Mounted & { readonly source?: string }> {
    const { volume } = mount
    switch (volume.kind) {
      case 'written':
        return (this.#volumes.get(volume.name) as WrittenVolume).mount(mount, this.#covered(mount))
      case 'empty':
        return this.#makeEmpty(mount)
      case 'claim':
        return copyClaim(this.#kube, this.#running(), mount, this.#points, this.#options)
      default:
        return volume satisfies never
    }
  }

  /** An empty folder, the same wherever it is mounted. */
  async #makeEmpty({ volume, mountPath, subPath }: PlannedMount): Promise<Mounted & { readonly source?: string }> {
    const done = { kind: 'directory', missing: [] } as const
    if (this.#plan.mounts.filter((other) => other.volume.name === volume.name).length === 1) {
      await mkdir(await this.#points.make(mountPath), { recursive: true, mode: 0o755 })
      return done
    }
    const shared = `${this.#options.root}/${sharedFolder}/${volume.name}`
    const source = subPath === '' ? shared : inside(shared, subPath)
    await mkdir(source, { recursive: true, mode: 0o755 })
    await this.#points.link(mountPath, source)
    return { ...done, source }
  }

  #running(): RunningContainer | undefined {
    const { namespace, pod, container } = this.#options
    if (pod.metadata.name === '' || !isRunning(pod, container.name)) return undefined
    return { namespace, pod: pod.metadata.name, container: container.name }
  }

  /** Where other mounts lie in this one. */
  #covered({ mountPath }: PlannedMount): string[] {
    return this.#plan.mounts.flatMap((other) => below(mountPath, other.mountPath) ?? [])
  }

  #tellUnfollowed({ unfollowed }: ClusterInputs): void {
    for (const { type, name, why, fix } of unfollowed) {
      const message = `${type.kind} ${this.#options.namespace}/${name} is read once and not followed: ${why}`
      this.#options.onTold({ code: 'files-not-followed', message, fix })
    }
  }

  #onChange(): void {
    this.#stale = true
    if (this.#state !== 'idle') return
    this.#state = 'writing'
    this.#writing = this.#refresh()
  }

  async #refresh(): Promise<void> {
    while (this.#stale && this.#state === 'writing') {
      this.#stale = false
      for (const volume of this.#volumes.values()) await this.#refreshOne(volume)
    }
    if (this.#state === 'writing') this.#state = 'idle'
  }

  async #refreshOne(volume: WrittenVolume): Promise<void> {
    try {
      const done = await volume.refresh()
      if (done.is === 'same') return
      const where = done.mountPaths.join(', ')
      if (done.is === 'changed')
        this.#options.onTold({ code: 'files-changed', message: `${where} changed in the cluster` })
      else this.#options.onTold({ code: 'files-kept', message: `${where} stays as it is: ${done.why}` })
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      this.#options.onTold({
        code: 'files-not-written',
        message: `an update could not be written: ${messageOf(error)}`,
      })
    }
  }
}

/** Always of the latest state. */
function inputsOf(
  inputs: ClusterInputs,
  inPod: VolumeFiles | undefined,
): ConstructorParameters<typeof WrittenVolume>[1] {
  return {
    namespace: inputs.namespace,
    container: inputs.container,
    inPod,
    get pod() {
      return inputs.pod
    },
    get allocatable() {
      return inputs.allocatable
    },
    configMap: (name) => inputs.configMap(name),
    secret: (name) => inputs.secret(name),
    token: (source) => inputs.token(source),
  }
}
