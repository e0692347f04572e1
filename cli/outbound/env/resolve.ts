import type { Container, EnvVar, Pod, ResourceList, Service } from '../../../src/kube/objects.ts'
import { expand } from './expansion.ts'
import { fieldValue } from './field-ref.ts'
import { resourceValue } from './resource-ref.ts'
import { type ServiceLinkOptions, serviceLinks } from './service-links.ts'

/** Where a value comes from. `image`: the running container has it, and the pod's specification does not say so. */
export type ValueSource =
  | 'value'
  | 'config-map'
  | 'secret'
  | 'field'
  | 'resource'
  | 'service'
  | 'file'
  | 'image'
  | 'local'

export interface Variable {
  readonly value: string
  readonly source: ValueSource
}

/** A variable whose value is not known. */
export interface MissingVariable {
  /** With `whole`: a pattern, such as `DB_*`. */
  readonly name: string
  /** All variables of an object. */
  readonly whole: boolean
  readonly source: ValueSource
  /** A sentence that tells no value. */
  readonly why: string
  /** What helps, ready to be typed. */
  readonly fix?: string | undefined
  /** The container starts without it too. */
  readonly optional: boolean
}

/** What is known of an object: its data as text, that it does not exist, or why it could not be read. */
export type Known<T> =
  | { readonly found: T }
  | { readonly absent: true; readonly why?: string }
  | { readonly refused: string; readonly fix?: string | undefined }

export type KeyedText = Readonly<Record<string, string>>

/** Everything that a container's environment is made of. A pod that is only a template has an empty name. */
export interface EnvironmentInputs {
  readonly pod: Pod
  readonly container: Container
  /** Those of the namespace. */
  readonly services: Known<readonly Service[]>
  /** default/kubernetes. */
  readonly apiServer: Known<Service>
  configMap(name: string): Known<KeyedText>
  secret(name: string): Known<KeyedText>
  /** Of the pod's node. */
  readonly allocatable: Known<ResourceList>
  readonly addressOf?: ServiceLinkOptions['addressOf']
}

/** An object whose variables' names are not known either; they begin with its prefix. */
export interface UnreadObject {
  readonly prefix: string
  readonly source: ValueSource
  readonly why: string
  readonly fix?: string | undefined
}

export interface ResolvedEnvironment {
  readonly values: Map<string, Variable>
  readonly missing: readonly MissingVariable[]
  readonly unread: readonly UnreadObject[]
  /** Names of `values` that an object that could not be read may have replaced. */
  readonly uncertain: ReadonlySet<string>
}

/** The environment that the kubelet (1.30 and later: no name is skipped) gives a container that starts now. */
export function resolveEnvironment(inputs: EnvironmentInputs): ResolvedEnvironment {
  return new Resolution(inputs).run()
}

const quoting = 'it quotes a value that is missing: '

class Resolution {
  readonly #inputs: EnvironmentInputs
  readonly #values = new Map<string, Variable>()
  readonly #missing = new Map<string, MissingVariable>()
  readonly #unread: UnreadObject[] = []
  readonly #uncertain = new Set<string>()
  #links = new Map<string, string>()

  constructor(inputs: EnvironmentInputs) {
    this.#inputs = inputs
  }

  run(): ResolvedEnvironment {
    this.#links = this.#serviceLinks()
    for (const from of this.#inputs.container.envFrom ?? []) this.#addAll(from)
    for (const variable of this.#inputs.container.env ?? []) this.#add(variable)
    for (const [name, value] of this.#links) {
      if (this.#values.has(name) || this.#missing.has(name)) continue
      this.#values.set(name, { value, source: 'service' })
      if (this.#mayBeUnread(name)) this.#uncertain.add(name)
    }
    return {
      values: this.#values,
      missing: [...this.#missing.values()],
      unread: this.#unread,
      uncertain: this.#uncertain,
    }
  }

  #serviceLinks(): Map<string, string> {
    const { pod, services, apiServer, addressOf } = this.#inputs
    const enabled = pod.spec.enableServiceLinks !== false
    if (enabled && !('found' in services)) {
      const why = whyNot(services, 'Services')
      this.#lose({ name: '*_SERVICE_HOST', whole: true, source: 'service', why, fix: fixOf(services) })
    }
    if (!('found' in apiServer)) {
      const why = whyNot(apiServer, 'Service default/kubernetes')
      const unread = { source: 'service', why, fix: fixOf(apiServer) } as const
      this.#lose({ name: 'KUBERNETES_*', whole: true, ...unread })
      this.#unread.push({ prefix: 'KUBERNETES_', ...unread })
    }
    return serviceLinks(
      [...('found' in apiServer ? [apiServer.found] : []), ...('found' in services ? services.found : [])],
      { namespace: pod.metadata.namespace ?? '', enabled, ...(addressOf ? { addressOf } : {}) },
    )
  }

  #addAll({ prefix = '', configMapRef, secretRef }: NonNullable<Container['envFrom']>[number]): void {
    const reference = configMapRef ?? secretRef
    if (!reference) return
    const source = configMapRef ? 'config-map' : 'secret'
    const known = this.#object(source, reference.name)
    if ('found' in known) {
      for (const [key, value] of Object.entries(known.found)) this.#set(prefix + key, { value, source })
      return
    }
    const optional = reference.optional === true
    if ('absent' in known && optional) return
    const unread = { source, why: whyNot(known, this.#nameOf(source, reference.name)), fix: fixOf(known) } as const
    this.#lose({ name: `${prefix}*`, whole: true, ...unread, optional })
    this.#unread.push({ prefix, ...unread })
    for (const name of this.#values.keys()) if (name.startsWith(prefix)) this.#uncertain.add(name)
  }

  #add({ name, value, valueFrom }: EnvVar): void {
    if (value) this.#addText(name, value)
    else if (valueFrom) this.#addFrom(name, valueFrom)
    else this.#set(name, { value: '', source: 'value' })
  }

  /** A text that quotes a Secret is as secret as that; one that quotes what is missing is missing. */
  #addText(name: string, text: string): void {
    let source: ValueSource = 'value'
    let lost: Omit<UnreadObject, 'prefix'> | undefined
    let uncertain = false
    const value = expand(text, (other) => {
      const missing = this.#missing.get(other)
      if (missing) lost = missing
      const known = this.#values.get(other)
      if (known) {
        if (known.source === 'secret') source = 'secret'
        uncertain ||= this.#uncertain.has(other)
        return known.value
      }
      const unread = this.#mayBeUnread(other)
      if (unread && this.#links.has(other)) uncertain = true
      else if (unread) lost = unread
      return this.#links.get(other)
    })
    if (lost) {
      const why = lost.why.startsWith(quoting) ? lost.why : `${quoting}${lost.why}`
      this.#lose({ name, source: lost.source, why, fix: lost.fix })
      return
    }
    this.#set(name, { value, source })
    if (uncertain) this.#uncertain.add(name)
  }

  #addFrom(name: string, from: NonNullable<EnvVar['valueFrom']>): void {
    const { pod, container } = this.#inputs
    const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = from
    if (fieldRef) {
      const value = fieldValue(pod, fieldRef.fieldPath)
      if (value !== undefined) this.#set(name, { value, source: 'field' })
      else this.#lose({ name, source: 'field', why: `no running pod tells ${fieldRef.fieldPath}` })
    } else if (resourceFieldRef) {
      const { allocatable } = this.#inputs
      const node = 'found' in allocatable ? allocatable.found : undefined
      const value = resourceValue(resourceFieldRef, pod.spec, container, node)
      if (value !== undefined) this.#set(name, { value, source: 'resource' })
      else {
        const why = `${resourceFieldRef.resource} is that of the node: ${whyNot(allocatable, 'node')}`
        this.#lose({ name, source: 'resource', why, fix: fixOf(allocatable) })
      }
    } else if (configMapKeyRef) this.#addKey(name, 'config-map', configMapKeyRef)
    else if (secretKeyRef) this.#addKey(name, 'secret', secretKeyRef)
    else if (fileKeyRef) {
      const why = `only the pod sees key ${fileKeyRef.key} of ${fileKeyRef.path} in volume ${fileKeyRef.volumeName}`
      this.#lose({ name, source: 'file', why, optional: fileKeyRef.optional === true })
    } else this.#lose({ name, source: 'value', why: 'its source is of a kind that this version does not know' })
  }

  #addKey(
    name: string,
    source: 'config-map' | 'secret',
    reference: { name: string; key: string; optional?: boolean },
  ): void {
    const known = this.#object(source, reference.name)
    const optional = reference.optional === true
    const object = this.#nameOf(source, reference.name)
    if ('refused' in known) {
      this.#lose({ name, source, why: whyNot(known, object), fix: fixOf(known), optional })
      return
    }
    const value = 'found' in known && Object.hasOwn(known.found, reference.key) ? known.found[reference.key] : undefined
    if (value !== undefined) this.#set(name, { value, source })
    else if (!optional) {
      const why = 'absent' in known ? whyNot(known, object) : `${object} has no key ${reference.key}`
      this.#lose({ name, source, why })
    }
  }

  #object(source: 'config-map' | 'secret', name: string): Known<KeyedText> {
    return source === 'secret' ? this.#inputs.secret(name) : this.#inputs.configMap(name)
  }

  #nameOf(source: 'config-map' | 'secret', name: string): string {
    return `${source === 'secret' ? 'Secret' : 'ConfigMap'} ${this.#inputs.pod.metadata.namespace}/${name}`
  }

  #mayBeUnread(name: string): UnreadObject | undefined {
    return this.#unread.find(({ prefix }) => name.startsWith(prefix))
  }

  #set(name: string, variable: Variable): void {
    this.#values.set(name, variable)
    this.#missing.delete(name)
    this.#uncertain.delete(name)
  }

  #lose(missing: Omit<MissingVariable, 'optional' | 'whole'> & Partial<MissingVariable>): void {
    const { name, whole = false, optional = false } = missing
    if (!whole) this.#values.delete(name)
    this.#missing.set(whole ? `${name} of ${missing.why}` : name, { ...missing, whole, optional })
  }
}

function whyNot(known: Known<unknown>, what: string): string {
  if ('refused' in known) return known.refused
  return ('absent' in known ? known.why : undefined) ?? `${what} does not exist`
}

function fixOf(known: Known<unknown>): string | undefined {
  return 'refused' in known ? known.fix : undefined
}
