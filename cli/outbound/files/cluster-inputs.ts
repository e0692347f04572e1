import type { ConfigMap, Container, Pod, ResourceList, Secret } from '../../../src/kube/objects.ts'
import { configMaps, pods, secrets } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { readAllocatable } from '../env/allocatable.ts'
import type { Known } from '../env/resolve.ts'
import { accountOf } from './api-access.ts'
import { FollowedObjects, type Unfollowed } from './followed-objects.ts'
import type { PlannedVolume } from './plan.ts'
import { type RenewalListener, RenewedToken } from './renewed-token.ts'
import { requestToken } from './service-account-token.ts'
import type { FilesInputs } from './volume-files.ts'
import type { VolumeSource } from './volume-source.ts'

type TokenSource = Extract<VolumeSource, { kind: 'token' }>

/** What the cluster knows of the sources of volumes, kept up to date. */
export class ClusterInputs implements Omit<FilesInputs, 'inPod'> {
  readonly namespace: string
  readonly container: Container
  readonly #kube: Kube
  readonly #pod: Pod
  readonly #onChange: () => void
  readonly #listener: Omit<RenewalListener, 'onRenewed'>
  readonly #objects: FollowedObjects
  readonly #tokens = new Map<string, RenewedToken>()
  #allocatable: Known<ResourceList> = { absent: true }
  #latestPod: Pod

  /** @param onChange something is different now */
  constructor(
    kube: Kube,
    of: { readonly namespace: string; readonly pod: Pod; readonly container: Container },
    onChange: () => void,
    listener: Omit<RenewalListener, 'onRenewed'>,
  ) {
    this.namespace = of.namespace
    this.container = of.container
    this.#kube = kube
    this.#pod = of.pod
    this.#latestPod = of.pod
    this.#onChange = onChange
    this.#listener = listener
    this.#objects = new FollowedObjects(kube, of.namespace, onChange)
  }

  /** Reads what these volumes are made of; what the user may not read is told as such. @throws KubeError */
  async open(volumes: readonly PlannedVolume[]): Promise<void> {
    const sources = volumes.flatMap((volume) => (volume.kind === 'written' ? volume.sources : []))
    const objects = new Map<string, Promise<void>>()
    const follow = (type: typeof configMaps, name: string): void => {
      const key = `${type.plural}/${name}`
      if (!objects.has(key)) objects.set(key, this.#objects.follow(type, name))
    }
    const references: Parameters<typeof readAllocatable>[3][number][] = []
    const tokens: Promise<void>[] = []
    for (const source of sources) {
      if (source.kind === 'config-map') follow(configMaps, source.name)
      if (source.kind === 'secret') follow(secrets, source.name)
      if (source.kind === 'token') tokens.push(this.#addToken(source))
      if (source.kind === 'downward') {
        references.push(...source.items.map(({ resourceFieldRef }) => resourceFieldRef))
        // Labels and annotations may change; a template does not.
        const { name } = this.#pod.metadata
        if (name !== '' && source.items.some(({ fieldRef }) => isOfMetadata(fieldRef?.fieldPath))) follow(pods, name)
      }
    }
    const all = await Promise.allSettled([
      ...objects.values(),
      ...tokens,
      readAllocatable(this.#kube, this.#pod, this.container, references).then((found) => {
        this.#allocatable = found
      }),
    ])
    for (const one of all) if (one.status === 'rejected') throw one.reason
  }

  get unfollowed(): readonly Unfollowed[] {
    return this.#objects.unfollowed
  }

  /** The one that was chosen at the beginning, for as long as there is one. */
  get pod(): Pod {
    const { name, uid } = this.#pod.metadata
    const now = this.#objects.known<Pod>(pods, name)
    if ('found' in now && now.found.metadata.uid === uid) {
      const metadata = { ...now.found.metadata, namespace: this.namespace }
      this.#latestPod = { ...now.found, metadata }
    }
    return this.#latestPod
  }

  get allocatable(): Known<ResourceList> {
    return this.#allocatable
  }

  configMap(name: string): Known<ConfigMap> {
    return this.#objects.known<ConfigMap>(configMaps, name)
  }

  secret(name: string): Known<Secret> {
    return this.#objects.known<Secret>(secrets, name)
  }

  token(source: TokenSource): Known<string> {
    return this.#tokens.get(tokenKey(source))?.token ?? { absent: true }
  }

  stop(): void {
    this.#objects.stop()
    for (const token of this.#tokens.values()) token.stop()
  }

  async #addToken(source: TokenSource): Promise<void> {
    const key = tokenKey(source)
    if (this.#tokens.has(key)) return
    const account = accountOf(this.#pod.spec)
    const token = new RenewedToken(() => requestToken(this.#kube, this.namespace, account, source), {
      ...this.#listener,
      onRenewed: this.#onChange,
    })
    this.#tokens.set(key, token)
    await token.start()
  }
}

const isOfMetadata = (fieldPath = ''): boolean => /^metadata\.(labels|annotations)/.test(fieldPath)

const tokenKey = ({ audience, seconds }: TokenSource): string => `${seconds} ${audience ?? ''}`
