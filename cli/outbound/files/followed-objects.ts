import { errorFromReview, isKubeError } from '../../../src/kube/error.ts'
import type { Informer, Kube, KubeObject, ResourceType } from '../../../src/kube/types.ts'
import { known } from '../env/known.ts'
import type { Known } from '../env/resolve.ts'

/** An object that was read once, for the user may not watch it. */
export interface Unfollowed {
  readonly type: ResourceType
  readonly name: string
  readonly why: string
  readonly fix: string | undefined
}

/**
 * Objects of a namespace by name, each watched by itself, so that a right to this one name is enough; read once where
 * watching is forbidden.
 */
export class FollowedObjects {
  readonly #kube: Kube
  readonly #namespace: string
  readonly #onChange: () => void
  readonly #informers = new Map<string, Informer<KubeObject>>()
  readonly #read = new Map<string, Known<KubeObject>>()
  readonly #unfollowed: Unfollowed[] = []

  /** @param onChange one of them changed, appeared or went */
  constructor(kube: Kube, namespace: string, onChange: () => void) {
    this.#kube = kube
    this.#namespace = namespace
    this.#onChange = onChange
  }

  get unfollowed(): readonly Unfollowed[] {
    return this.#unfollowed
  }

  /** Resolves when it is known what the object is. @throws KubeError, not for what the user may not */
  async follow(type: ResourceType, name: string): Promise<void> {
    const refusal = (await this.#refusalOf(type, name)) ?? (await this.#watch(type, name))
    if (!refusal) return
    const read = await known(() => this.#kube.find(type, this.#namespace, name))
    this.#read.set(keyOf(type, name), read)
    if ('refused' in read) return
    this.#unfollowed.push({ type, name, why: refusal.message.replace(/\.$/, ''), fix: refusal.fix })
  }

  known<T extends KubeObject>(type: ResourceType, name: string): Known<T> {
    const informer = this.#informers.get(keyOf(type, name))
    if (!informer) return (this.#read.get(keyOf(type, name)) as Known<T> | undefined) ?? { absent: true }
    const found = informer.get(this.#namespace, name) as T | undefined
    return found ? { found } : { absent: true }
  }

  stop(): void {
    for (const informer of this.#informers.values()) informer.stop()
  }

  /** An informer would go on trying for ever. */
  async #refusalOf(
    { group, plural }: ResourceType,
    name: string,
  ): Promise<(Error & { fix: string | undefined }) | undefined> {
    const access = { group, resource: plural, namespace: this.#namespace, name }
    const verbs = ['list', 'watch'] as const
    const allowed = await Promise.all(verbs.map((verb) => this.#kube.may({ verb, ...access })))
    const verb = verbs.find((_, index) => !allowed[index])
    if (!verb) return undefined
    const { server, context } = this.#kube
    return errorFromReview({ server, context, verb, path: '', ...access }, await this.#userName())
  }

  /** undefined where the API server is too old to tell. */
  async #userName(): Promise<string | undefined> {
    try {
      return (await this.#kube.whoAmI()).username || undefined
    } catch (error) {
      if (isKubeError(error)) return undefined
      throw error
    }
  }

  async #watch(type: ResourceType, name: string): Promise<(Error & { fix: string | undefined }) | undefined> {
    const options = { namespace: this.#namespace, fieldSelector: `metadata.name=${name}` }
    const informer = this.#kube.inform<KubeObject>(type, options)
    this.#informers.set(keyOf(type, name), informer)
    try {
      await informer.synced
    } catch (error) {
      if (!isKubeError(error, 'forbidden')) throw error
      informer.stop()
      this.#informers.delete(keyOf(type, name))
      return error
    }
    informer.onChange(this.#onChange)
    return undefined
  }
}

const keyOf = (type: ResourceType, name: string): string => `${type.plural}/${name}`
