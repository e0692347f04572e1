import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type {
  ConfigMap,
  Container as KubeContainer,
  Pod as KubePod,
  Node,
  Secret,
} from '../../../../src/kube/objects.ts'
import { planFiles } from '../../../outbound/files/plan.ts'
import { type VolumeFiles, volumeFiles } from '../../../outbound/files/volume-files.ts'
import type { Store } from '../store/store.ts'
import { NotReadyError } from './not-ready-error.ts'
import type { Pod, Volume } from './pod.ts'

export interface VolumeContext {
  readonly store: Store
  readonly podIp: string
  readonly hostIp: string
  /** A token of the pod's service account; without an audience it is for the API server. */
  issueToken(pod: Pod, seconds: number, audience: string | undefined): string
}

/**
 * Makes the pod's volumes as folders under `folder`; returns the folder of each. What is in them is projected by the same
 * code that does it for laptops; volumes of the node (claims too) begin empty. Throws NotReadyError.
 */
export function writeVolumes(pod: Pod, folder: string, context: VolumeContext): Map<string, string> {
  const folders = new Map<string, string>()
  for (const volume of pod.spec.volumes ?? []) {
    const path = join(folder, volume.name)
    mkdirSync(path, { recursive: true })
    folders.set(volume.name, path)
    const files = filesOf(volume, pod, context)
    if (files) show(path, files)
  }
  return folders
}

/** True where the volume shows an object that may change, so that it must be written again. */
export function showsObject(volume: Volume): boolean {
  return Boolean(volume.configMap ?? volume.secret ?? volume.projected)
}

export function removeVolumes(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

function filesOf(volume: Volume, pod: Pod, context: VolumeContext): VolumeFiles | undefined {
  const { namespace = '' } = pod.metadata
  const { podIp, hostIp, store } = context
  const status = { podIP: podIp, podIPs: [{ ip: podIp }], hostIP: hostIp, hostIPs: [{ ip: hostIp }] }
  const given = { ...pod, status } as unknown as KubePod
  const container: KubeContainer = { name: '', volumeMounts: [{ name: volume.name, mountPath: '/volume' }] }
  const { mounts } = planFiles(given, container, { namespace, mountPvc: false, lookUp: () => undefined })
  const planned = mounts[0]?.volume
  if (planned?.kind !== 'written') return undefined
  const { files, gaps } = volumeFiles(planned.sources, {
    namespace,
    pod: given,
    container,
    configMap: (name) => found(store.get<ConfigMap>('configmaps', namespace, name)),
    secret: (name) => found(store.get<Secret>('secrets', namespace, name)),
    token: ({ seconds, audience }) => ({ found: context.issueToken(pod, seconds, audience) }),
    allocatable: found(store.get<Node>('nodes', undefined, pod.spec.nodeName ?? '')?.status?.allocatable),
    inPod: undefined,
  })
  if (gaps[0]) throw new NotReadyError('ContainerCreating', `MountVolume.SetUp failed: ${gaps[0].why}`)
  return files
}

function found<T>(object: T | undefined): { found: T } | { absent: true } {
  return object === undefined ? { absent: true } : { found: object }
}

/** Makes a folder show these files and no others. */
function show(folder: string, files: VolumeFiles): void {
  for (const path of filesBelow(folder)) if (!files.has(path)) rmSync(join(folder, path))
  for (const [path, { data, mode }] of files) {
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(`${target}.new`, data)
    chmodSync(`${target}.new`, mode)
    renameSync(`${target}.new`, target)
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

/** Folders of sub-paths that a volume does not have; the kubelet makes them, too. */
export function makeSubPaths(folders: Iterable<string>): void {
  for (const folder of folders) if (!existsSync(folder)) mkdirSync(folder, { recursive: true })
}
