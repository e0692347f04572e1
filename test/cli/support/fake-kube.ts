import { KubeError } from '../../../src/kube/error.ts'
import type { Informer, Kube, KubeObject, ListOptions, PatchOptions, ResourceType } from '../../../src/kube/types.ts'

type Verb = 'get' | 'list' | 'create' | 'patch' | 'delete'

const selects = (selector: string | undefined, value: (name: string) => string | undefined): boolean =>
  (selector ?? '')
    .split(/,(?![^(]*\))/)
    .filter((term) => term !== '')
    .every((term) => {
      const [, key = '', list] = /^(\S+) in \((.*)\)$/.exec(term) ?? []
      if (list !== undefined) return list.split(',').includes(value(key) ?? '')
      const [name = '', wanted] = term.split('=')
      return wanted === undefined ? value(name) !== undefined : value(name) === wanted
    })

/** RFC 7396. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const from = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}
  const merged: Record<string, unknown> = { ...from }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else merged[key] = merge(merged[key], value)
  }
  return merged
}

/** Objects in memory, behind the interface of a cluster: versions, conflicts, lists, informers that never break. */
export class FakeKube implements Kube {
  readonly server = 'https://fake:6443'
  readonly context = 'fake'
  readonly namespace = 'shop'
  username = 'ada'
  /** Verbs and resources that were asked for, in order. */
  readonly asked: string[] = []
  /** Called before each request; may throw, or wait. */
  before: (verb: Verb, type: ResourceType, name: string | undefined) => void | Promise<void> = () => undefined
  allowed: (access: { verb: string; resource: string }) => boolean = () => true
  readonly #objects = new Map<string, KubeObject>()
  readonly #informers = new Set<FakeInformer>()
  #version = 0

  /** Puts an object there, as it is. */
  put<T extends KubeObject>(type: ResourceType, object: T): T {
    this.#version += 1
    const { namespace, name } = object.metadata
    const stored = structuredClone(object)
    stored.metadata.uid ??= `uid-${this.#version}`
    stored.metadata.resourceVersion = String(this.#version)
    this.#objects.set(keyOf(type, namespace, name), stored)
    this.#tell()
    return structuredClone(stored)
  }

  remove(type: ResourceType, namespace: string | undefined, name: string): void {
    this.#objects.delete(keyOf(type, namespace, name))
    this.#tell()
  }

  peek<T extends KubeObject>(type: ResourceType, namespace: string | undefined, name: string): T | undefined {
    return structuredClone(this.#objects.get(keyOf(type, namespace, name))) as T | undefined
  }

  all<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): T[] {
    const prefix = `${type.group}/${type.plural} `
    return [...this.#objects.entries()]
      .filter(([key]) => key.startsWith(prefix))
      .map(([, object]) => structuredClone(object) as T)
      .filter(({ metadata }) => options.namespace === undefined || metadata.namespace === options.namespace)
      .filter(({ metadata }) => selects(options.labelSelector, (name) => metadata.labels?.[name]))
      .filter(({ metadata }) =>
        selects(options.fieldSelector, (path) => (path === 'metadata.name' ? metadata.name : '')),
      )
  }

  async get<T extends KubeObject>(type: ResourceType, namespace: string | undefined, name: string): Promise<T> {
    const found = await this.find<T>(type, namespace, name)
    if (found) return found
    throw new KubeError('not-found', `${type.plural} ${namespace}/${name} not found`, { status: 404 })
  }

  async find<T extends KubeObject>(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
  ): Promise<T | undefined> {
    await this.#ask('get', type, name)
    return this.peek<T>(type, namespace, name)
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<T[]> {
    await this.#ask('list', type, undefined)
    return this.all<T>(type, options)
  }

  async create<T extends KubeObject>(type: ResourceType, object: T): Promise<T> {
    const { namespace, name } = object.metadata
    await this.#ask('create', type, name)
    if (this.peek(type, namespace, name)) throw new KubeError('already-exists', `${name} exists`, { status: 409 })
    return this.put(type, object)
  }

  async patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    body: unknown,
    options: PatchOptions,
  ): Promise<T> {
    await this.#ask('patch', type, name)
    const before = this.peek<T>(type, namespace, name)
    if (options.type === 'json') throw new Error('no JSON patch here')
    if (!before) {
      if (options.type === 'apply') return this.put(type, body as T)
      throw new KubeError('not-found', `${name} not found`, { status: 404 })
    }
    const wanted = (body as Partial<KubeObject>).metadata?.resourceVersion
    if (wanted !== undefined && wanted !== before.metadata.resourceVersion) {
      throw new KubeError('conflict', `${name} has changed`, { status: 409 })
    }
    return this.put(type, merge(before, body) as T)
  }

  async delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: { uid?: string } = {},
  ): Promise<void> {
    await this.#ask('delete', type, name)
    const found = this.peek(type, namespace, name)
    if (!found || (options.uid !== undefined && found.metadata.uid !== options.uid)) return
    this.remove(type, namespace, name)
  }

  inform<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Informer<T> {
    const informer = new FakeInformer(
      () => this.all(type, options),
      (self) => this.#informers.delete(self),
    )
    this.#informers.add(informer)
    return informer as unknown as Informer<T>
  }

  async whoAmI(): Promise<{ username: string; groups: string[] }> {
    return { username: this.username, groups: ['system:authenticated'] }
  }

  async may(access: { verb: string; resource: string }): Promise<boolean> {
    return this.allowed(access)
  }

  /** Stands for what is no object; a test replaces it. */
  request: (method: string, path: string, body?: unknown) => Promise<never> = () => {
    throw new Error('not in this double')
  }

  webSocketTarget(_path: string): ReturnType<Kube['webSocketTarget']> {
    throw new Error('not in this double')
  }

  portForward(): ReturnType<Kube['portForward']> {
    throw new Error('not in this double')
  }

  /** Stands for the containers; a test replaces it. */
  execCommand: Kube['execCommand'] = () => {
    throw new Error('not in this double')
  }

  async #ask(verb: Verb, type: ResourceType, name: string | undefined): Promise<void> {
    this.asked.push(`${verb} ${type.plural}`)
    await this.before(verb, type, name)
  }

  #tell(): void {
    for (const informer of this.#informers) informer.changed()
  }
}

class FakeInformer implements Informer<KubeObject> {
  readonly synced = Promise.resolve()
  fresh = true
  readonly #list: () => KubeObject[]
  readonly #onStop: (self: FakeInformer) => void
  readonly #listeners = new Set<() => void>()

  constructor(list: () => KubeObject[], onStop: (self: FakeInformer) => void) {
    this.#list = list
    this.#onStop = onStop
    setImmediate(() => this.changed())
  }

  list(): readonly KubeObject[] {
    return this.#list()
  }

  get(namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#list().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): void {
    this.#onStop(this)
    this.#listeners.clear()
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

const keyOf = (type: ResourceType, namespace: string | undefined, name: string): string =>
  `${type.group}/${type.plural} ${namespace ?? ''}/${name}`
