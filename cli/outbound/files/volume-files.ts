import type { ConfigMap, Container, DownwardFile, Pod, ResourceList, Secret } from '../../../src/kube/objects.ts'
import { fieldValue } from '../env/field-ref.ts'
import type { Known } from '../env/resolve.ts'
import { resourceValue } from '../env/resource-ref.ts'
import { filePath } from './volume-path.ts'
import type { VolumeSource } from './volume-source.ts'

export interface VolumeFile {
  readonly data: Buffer
  /** Permission bits. */
  readonly mode: number
}

/** By clean path within the volume. No path lies below another. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>

/** Something of a volume that is not there. */
export interface Gap {
  /** One file; undefined: what its source would give. */
  readonly path: string | undefined
  readonly why: string
  readonly fix?: string | undefined
  /** `refused`: the user may not have it, or nobody can. `absent`: it does not exist in the cluster. */
  readonly kind: 'refused' | 'absent'
}

export interface FilesInputs {
  readonly namespace: string
  /** As it is now; a template has an empty name. */
  readonly pod: Pod
  readonly container: Container
  configMap(name: string): Known<ConfigMap>
  secret(name: string): Known<Secret>
  token(source: Extract<VolumeSource, { kind: 'token' }>): Known<string>
  /** Of the pod's node. */
  readonly allocatable: Known<ResourceList>
  /** The whole volume as the running pod has it, where that was read. */
  readonly inPod: VolumeFiles | undefined
}

/** The files of a volume as the kubelet projects its sources: of a path that two of them have, the later one's. */
export function volumeFiles(
  sources: readonly VolumeSource[],
  inputs: FilesInputs,
): { readonly files: VolumeFiles; readonly gaps: readonly Gap[] } {
  return new Projection(inputs).run(sources)
}

/** Sources that this volume has nothing of but what the running pod tells. */
export function isRefused(source: VolumeSource, inputs: Pick<FilesInputs, 'configMap' | 'secret'>): boolean {
  if (source.kind !== 'config-map' && source.kind !== 'secret') return false
  return 'refused' in (source.kind === 'secret' ? inputs.secret(source.name) : inputs.configMap(source.name))
}

type KeyedSource = Extract<VolumeSource, { kind: 'config-map' | 'secret' }>

class Projection {
  readonly #inputs: FilesInputs
  readonly #files = new Map<string, VolumeFile>()
  readonly #gaps: Gap[] = []

  constructor(inputs: FilesInputs) {
    this.#inputs = inputs
  }

  run(sources: readonly VolumeSource[]): { files: VolumeFiles; gaps: readonly Gap[] } {
    for (const source of sources) this.#add(source)
    const named = new Set(sources.flatMap(pathsOf))
    for (const source of sources) if (isRefused(source, this.#inputs)) this.#addRest(source as KeyedSource, named)
    return { files: this.#files, gaps: this.#gaps }
  }

  #add(source: VolumeSource): void {
    switch (source.kind) {
      case 'config-map':
      case 'secret':
        this.#addKeyed(source)
        return
      case 'downward':
        for (const item of source.items) this.#addDownward(item, source.mode)
        return
      case 'token': {
        const token = this.#inputs.token(source)
        if ('found' in token) this.#put(source.path, Buffer.from(token.found), source.mode)
        else if ('refused' in token) this.#lose('refused', source.path, token.refused, token.fix)
        else this.#lose('absent', source.path, token.why ?? 'there is no such service account')
        return
      }
      case 'unavailable':
        this.#lose('refused', source.path, source.why)
        return
      default:
        source satisfies never
    }
  }

  #addKeyed(source: KeyedSource): void {
    const { kind, name, items, optional, mode } = source
    const known = kind === 'secret' ? this.#inputs.secret(name) : this.#inputs.configMap(name)
    const object = `${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${this.#inputs.namespace}/${name}`
    if ('refused' in known) {
      this.#addFromPod(source, known.refused, known.fix)
      return
    }
    if ('absent' in known) {
      if (!optional) this.#lose('absent', undefined, known.why ?? `${object} does not exist`)
      return
    }
    const content = contentOf(kind, known.found)
    for (const { key, path, mode: own } of items ?? [...content.keys()].map((key) => ({ key, path: key, mode }))) {
      const data = content.get(key)
      if (data) this.#put(path, data, own ?? mode)
      else if (!optional) this.#lose('absent', path, `${object} has no key ${key}`)
    }
  }

  /** Only the names of its items are known. */
  #addFromPod({ items, optional, mode }: KeyedSource, why: string, fix: string | undefined): void {
    const { inPod } = this.#inputs
    if (!inPod) {
      this.#lose('refused', undefined, why, fix)
      return
    }
    for (const { path, mode: own } of items ?? []) {
      const clean = filePath(path)
      const file = 'path' in clean ? inPod.get(clean.path) : undefined
      if (file) this.#put(path, file.data, own ?? mode)
      else if (!optional) this.#lose('refused', path, `${why}, and the running pod does not have it`, fix)
    }
  }

  /** What no other source gives, or would give, is that of the one whose keys nobody told. */
  #addRest({ items, mode }: KeyedSource, named: ReadonlySet<string>): void {
    if (items) return
    for (const [path, { data }] of this.#inputs.inPod ?? []) {
      if (!this.#files.has(path) && !named.has(path)) this.#put(path, data, mode)
    }
  }

  #addDownward({ path, fieldRef, resourceFieldRef, mode: own }: DownwardFile, mode: number): void {
    const { pod, container, allocatable } = this.#inputs
    let value: string | undefined
    let why = 'its source is of a kind that this version does not know'
    if (fieldRef) {
      value = fieldValue(pod, fieldRef.fieldPath)
      why = `no running pod tells ${fieldRef.fieldPath}`
    } else if (resourceFieldRef) {
      const node = 'found' in allocatable ? allocatable.found : undefined
      value = resourceValue(resourceFieldRef, pod.spec, container, node)
      why = `${resourceFieldRef.resource} is that of the node`
      if ('refused' in allocatable) why += `: ${allocatable.refused}`
    }
    if (value !== undefined) this.#put(path, Buffer.from(value), own ?? mode)
    else this.#lose('refused', path, why, 'refused' in allocatable && resourceFieldRef ? allocatable.fix : undefined)
  }

  #put(path: string, data: Buffer, mode: number): void {
    const clean = filePath(path)
    if ('why' in clean) {
      this.#lose('refused', undefined, `the path "${path}" ${clean.why}`)
      return
    }
    const other = [...this.#files.keys()].find(
      (taken) => clean.path.startsWith(`${taken}/`) || taken.startsWith(`${clean.path}/`),
    )
    if (other !== undefined) {
      this.#lose('refused', clean.path, `it cannot be beside ${other}: one would be a file and a folder`)
      return
    }
    // The owner is root in the pod, whom no mode keeps out; here it is the user.
    this.#files.set(clean.path, { data, mode: (mode & 0o777) | 0o400 })
  }

  #lose(kind: Gap['kind'], path: string | undefined, why: string, fix?: string | undefined): void {
    this.#gaps.push({ kind, path, why, fix })
  }
}

/** The clean paths that a source names: a token in the pod is the pod's, not ours. */
function pathsOf(source: VolumeSource): string[] {
  const named =
    source.kind === 'token' || source.kind === 'unavailable'
      ? [source.path]
      : (source.items ?? []).map(({ path }) => path)
  return named.flatMap((path) => {
    const clean = path === undefined ? { why: 'is not known' } : filePath(path)
    return 'path' in clean ? [clean.path] : []
  })
}

/** The keys of a ConfigMap or a Secret, decoded. */
function contentOf(kind: KeyedSource['kind'], object: ConfigMap | Secret): Map<string, Buffer> {
  const content = new Map<string, Buffer>()
  const add = (all: Readonly<Record<string, string>> | undefined, encoding: 'utf8' | 'base64'): void => {
    for (const [key, value] of Object.entries(all ?? {})) content.set(key, Buffer.from(value, encoding))
  }
  add(object.data, kind === 'secret' ? 'base64' : 'utf8')
  if ('binaryData' in object) add(object.binaryData, 'base64')
  return content
}
