import type { Container, Pod, Volume, VolumeProjection } from '../../../src/kube/objects.ts'
import { subPathOf } from './sub-path.ts'
import { mountPathOf } from './volume-path.ts'
import type { VolumeSource } from './volume-source.ts'

export type PlannedVolume = { readonly name: string; readonly from: string } & (
  | { readonly kind: 'written'; readonly sources: readonly VolumeSource[] }
  | { readonly kind: 'empty' }
  /** A copy of what the running pod has there. */
  | { readonly kind: 'claim' }
)

export interface PlannedMount {
  readonly volume: PlannedVolume
  /** Absolute and clean. */
  readonly mountPath: string
  /** Within the volume, clean; '' for all of it. */
  readonly subPath: string
  readonly readOnly: boolean
}

/** Files of the container that the laptop does not have. */
export interface MissingFiles {
  /** The mount path; or the path of one file, where the rest of its mount is there. */
  readonly mountPath: string
  readonly why: string
  /** What helps, ready to be typed. */
  readonly fix?: string | undefined
}

export interface FilesPlan {
  /** Those that contain others come before them. */
  readonly mounts: readonly PlannedMount[]
  readonly missing: readonly MissingFiles[]
}

export interface PlanOptions {
  readonly namespace: string
  readonly mountPvc: boolean
  /** Of the container as the pod has it, for `subPathExpr`. */
  lookUp(name: string): string | undefined
}

/** What a container has mounted, by the pod's specification. */
export function planFiles(pod: Pod, container: Container, options: PlanOptions): FilesPlan {
  const mounts: PlannedMount[] = []
  const missing: MissingFiles[] = []
  for (const mount of container.volumeMounts ?? []) {
    const mountPath = mountPathOf(mount.mountPath)
    const spec = pod.spec.volumes?.find(({ name }) => name === mount.name)
    if (!spec) {
      missing.push({ mountPath, why: `the pod has no volume ${mount.name}` })
      continue
    }
    const volume = volumeOf(spec, options)
    const subPath = subPathOf(mount, options.lookUp)
    if ('why' in volume) missing.push({ mountPath, ...volume })
    else if ('why' in subPath) missing.push({ mountPath, why: subPath.why })
    else if (mountPath === '/') missing.push({ mountPath, why: 'a laptop has a root of its own' })
    else {
      const readOnly = volume.kind !== 'empty' || mount.readOnly === true
      mounts.push({ volume, mountPath, subPath: subPath.path, readOnly })
    }
  }
  for (const { devicePath } of container.volumeDevices ?? []) {
    missing.push({ mountPath: mountPathOf(devicePath), why: 'it is a block device of the node' })
  }
  const depth = ({ mountPath }: PlannedMount): number => mountPath.split('/').length
  return { mounts: mounts.sort((a, b) => depth(a) - depth(b) || (a.mountPath < b.mountPath ? -1 : 1)), missing }
}

const defaultMode = 0o644

function volumeOf(
  volume: Volume,
  { namespace, mountPvc }: PlanOptions,
): PlannedVolume | { readonly why: string; readonly fix?: string } {
  const { name, configMap, secret, projected, downwardAPI, emptyDir, persistentVolumeClaim } = volume
  if (configMap) {
    const source = sourceOf({ configMap }, configMap.defaultMode)
    return { name, kind: 'written', from: `ConfigMap ${namespace}/${configMap.name}`, sources: [source] }
  }
  if (secret) {
    const source = sourceOf({ secret: { ...secret, name: secret.secretName } }, secret.defaultMode)
    return { name, kind: 'written', from: `Secret ${namespace}/${secret.secretName}`, sources: [source] }
  }
  if (projected) {
    const sources = (projected.sources ?? []).map((source) => sourceOf(source, projected.defaultMode))
    return { name, kind: 'written', from: `projected volume ${name}`, sources }
  }
  if (downwardAPI) {
    const source = sourceOf({ downwardAPI }, downwardAPI.defaultMode)
    return { name, kind: 'written', from: 'downward API', sources: [source] }
  }
  // The API server makes it an emptyDir where nothing is said.
  if (emptyDir || Object.keys(volume).length === 1) return { name, kind: 'empty', from: `emptyDir ${name}` }
  if (persistentVolumeClaim) {
    const claim = `PersistentVolumeClaim ${namespace}/${persistentVolumeClaim.claimName}`
    if (mountPvc) return { name, kind: 'claim', from: claim }
    return { why: `it is on ${claim}, which is copied only when asked for`, fix: '--mount-pvc' }
  }
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? ''
  return { why: reasons[kind] ?? `a laptop cannot have a volume of kind ${kind}` }
}

const reasons: Readonly<Record<string, string>> = {
  hostPath: 'it is a path of the node (hostPath)',
  csi: 'only the node mounts it (csi)',
  ephemeral: 'it is a volume that lives with one pod (ephemeral)',
  image: 'it is the content of an image',
  nfs: 'only the node mounts it (nfs)',
}

function sourceOf(projection: VolumeProjection, mode = defaultMode): VolumeSource {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle } = projection
  const keyed = configMap ?? secret
  if (keyed) {
    const { name, items = [], optional = false } = keyed
    const kind = configMap ? 'config-map' : 'secret'
    return { kind, name, items: items.length > 0 ? items : undefined, optional, mode }
  }
  if (downwardAPI) return { kind: 'downward', items: downwardAPI.items ?? [], mode }
  if (serviceAccountToken) {
    const { path, audience, expirationSeconds: seconds = 3600 } = serviceAccountToken
    return { kind: 'token', path, audience: audience || undefined, seconds, mode }
  }
  if (clusterTrustBundle) {
    const { path } = clusterTrustBundle
    return { kind: 'unavailable', path, why: 'only the node reads cluster trust bundles' }
  }
  const kind = Object.keys(projection)[0] ?? 'none'
  return { kind: 'unavailable', path: undefined, why: `only the node has sources of kind ${kind}` }
}
