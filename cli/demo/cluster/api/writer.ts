import { randomUUID } from 'node:crypto'
import type { KubeObject } from '../../../../src/kube/types.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission/admission.ts'
import { ApiError } from '../api-error.ts'
import { trackUpdate } from '../apply/managed-fields.ts'
import { applyConfig } from '../apply/server-side-apply.ts'
import { type Dict, dictOf, ensureDict, isDict, sameJson, stringOf } from '../json.ts'
import { apiVersionOf, type ResourceDefinition } from '../resources/definition.ts'
import { nameSuffix, validateName } from '../resources/name-rules.ts'
import { jsonPatch } from '../store/json-patch.ts'
import { mergePatch } from '../store/merge-patch.ts'
import type { Store } from '../store/store.ts'
import { strategicPatch } from '../store/strategic-patch.ts'
import { timestamp } from '../timestamp.ts'
import type { WriteContext } from './write-context.ts'

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply'

/** Creates and changes objects as the API server does: defaults, validation, admission, ownership of fields, storage. */
export class Writer {
  readonly store: Store
  readonly #plugins: readonly AdmissionPlugin[]

  constructor(store: Store, plugins: readonly AdmissionPlugin[]) {
    this.store = store
    this.#plugins = plugins
  }

  /** `body` is not kept. Returns the stored object, which must not be changed. */
  create(definition: ResourceDefinition, namespace: string | undefined, body: Dict, context: WriteContext): KubeObject {
    const object = this.#incoming(definition, namespace, body)
    const metadata = ensureDict(object, 'metadata')
    if (metadata.resourceVersion) {
      throw new ApiError(500, undefined, 'resourceVersion should not be set on objects to be created')
    }
    if (!metadata.name && typeof metadata.generateName === 'string')
      metadata.name = `${metadata.generateName}${nameSuffix()}`
    const name = stringOf(metadata.name) ?? ''
    if (name === '') {
      const message = 'Required value: name or generateName is required'
      throw ApiError.invalid(definition, '', [{ reason: 'FieldValueRequired', field: 'metadata.name', message }])
    }
    for (const field of ['selfLink', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields']) {
      if (field !== 'managedFields' || !context.internal) delete metadata[field]
    }
    if (
      isDict(body.metadata) &&
      context.manager !== '' &&
      Array.isArray(body.metadata.managedFields) &&
      applied.has(body)
    ) {
      metadata.managedFields = body.metadata.managedFields
    }
    metadata.uid = randomUUID()
    metadata.creationTimestamp = timestamp()
    if (definition.hasGeneration) metadata.generation = 1
    if (definition.hasStatus && !context.internal) delete object.status
    const request = this.#request('CREATE', definition, namespace, name, context, object, undefined)
    this.#prepare(request, context, body)
    if (this.store.get(definition.key, namespace, name)) throw ApiError.alreadyExists(definition, name)
    if (!context.internal && !applied.has(body)) {
      const { status: _, ...tracked } = object
      const owned = definition.hasStatus ? tracked : object
      metadata.managedFields = trackUpdate([], {}, owned, definition.shape, managerOf(definition, context))
    }
    for (const plugin of this.#plugins) plugin.validate?.(request)
    const complete = object as unknown as KubeObject
    if (context.dryRun) return complete
    return this.store.put(definition.key, complete)
  }

  /** Replaces the object (or its subresource). A resourceVersion in the body must be the current one. */
  update(
    definition: ResourceDefinition,
    namespace: string | undefined,
    name: string,
    body: Dict,
    context: WriteContext,
    subresource?: string,
  ): KubeObject {
    const current = this.#current(definition, namespace, name)
    const before = current as unknown as Dict
    const object = this.#incoming(definition, namespace, body)
    const metadata = ensureDict(object, 'metadata')
    const bodyName = metadata.name
    if (bodyName !== undefined && bodyName !== name) {
      throw ApiError.badRequest(`the name of the object (${bodyName}) does not match the name on the URL (${name})`)
    }
    if (metadata.resourceVersion && metadata.resourceVersion !== current.metadata.resourceVersion) {
      throw ApiError.conflict(definition, name)
    }
    if (metadata.uid && metadata.uid !== current.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${current.metadata.uid}`
      throw ApiError.conflict(definition, name, why)
    }
    keepSystemFields(metadata, current)
    if (subresource === 'status') {
      const { status } = object
      for (const key of Object.keys(object)) delete object[key]
      Object.assign(object, structuredClone(before), status === undefined ? {} : { status })
      const { managedFields } = metadata
      object.metadata = { ...dictOf(before.metadata), ...(managedFields === undefined ? {} : { managedFields }) }
    } else if (definition.hasStatus && !context.internal) {
      if (before.status === undefined) delete object.status
      else object.status = before.status
    }
    const request = this.#request('UPDATE', definition, namespace, name, context, object, before, subresource)
    this.#prepare(request, context, body)
    return this.#store(definition, current, object, context, request, applied.has(body))
  }

  patch(
    definition: ResourceDefinition,
    namespace: string | undefined,
    name: string,
    kind: PatchKind,
    patch: unknown,
    context: WriteContext,
    subresource?: string,
  ): KubeObject {
    if (kind === 'apply') return this.#apply(definition, namespace, name, patch, context, subresource)
    const current = this.#current(definition, namespace, name) as unknown as Dict
    const patched = this.#patched(kind, current, patch, definition)
    if (!isDict(patched)) throw ApiError.badRequest('the patch does not leave an object')
    return this.update(definition, namespace, name, patched, context, subresource)
  }

  #patched(kind: Exclude<PatchKind, 'apply'>, current: Dict, patch: unknown, definition: ResourceDefinition): unknown {
    switch (kind) {
      case 'json':
        return jsonPatch(current, patch)
      case 'merge':
        return mergePatch(current, patch)
      case 'strategic':
        return strategicPatch(current, patch, definition.shape)
    }
  }

  #apply(
    definition: ResourceDefinition,
    namespace: string | undefined,
    name: string,
    config: unknown,
    context: WriteContext,
    subresource: string | undefined,
  ): KubeObject {
    if (!isDict(config)) throw ApiError.badRequest('the applied configuration is not an object')
    const { apiVersion = '', kind = '' } = config
    if (apiVersion === '' || kind === '') throw ApiError.badRequest(`invalid object type: ${apiVersion}/, Kind=${kind}`)
    if (context.manager === '') {
      throw ApiError.invalid({ group: 'meta.k8s.io', plural: '', kind: 'PatchOptions' }, '', [
        { reason: 'FieldValueRequired', field: 'fieldManager', message: 'Required value: is required for apply patch' },
      ])
    }
    const current = this.store.get(definition.key, namespace, name)
    if (!current && subresource !== undefined) throw ApiError.notFound(definition, name)
    const wanted = structuredClone(config)
    if (definition.hasStatus && subresource === undefined) delete wanted.status
    if (subresource === 'status') delete wanted.spec
    const precondition = dictOf(wanted.metadata).resourceVersion
    delete dictOf(wanted.metadata).resourceVersion
    const manager = { ...managerOf(definition, context, subresource), operation: 'Apply' as const }
    const live = current ? (current as unknown as Dict) : {}
    definition.prune?.(wanted)
    const result = applyConfig(live, wanted, definition.shape, manager, context.force)
    applied.add(result)
    ensureDict(result, 'metadata').name = name
    if (!current) return this.create(definition, namespace, result, context)
    if (precondition !== undefined) dictOf(result.metadata).resourceVersion = precondition
    return this.update(definition, namespace, name, result, context, subresource)
  }

  /** Stores what update prepared, if it differs; removes it where it only waited for its last finalizer. */
  #store(
    definition: ResourceDefinition,
    current: KubeObject,
    object: Dict,
    context: WriteContext,
    request: AdmissionRequest,
    byApply: boolean,
  ): KubeObject {
    const before = current as unknown as Dict
    const metadata = ensureDict(object, 'metadata')
    if (definition.hasGeneration && !sameJson(specOf(object), specOf(before))) {
      metadata.generation = (current.metadata.generation ?? 0) + 1
    }
    if (!context.internal && !byApply) {
      const asked = metadata.managedFields
      const cleared = Array.isArray(asked) && asked.length === 0
      const known = cleared ? [] : current.metadata.managedFields
      const manager = managerOf(definition, context, request.subresource)
      metadata.managedFields = trackUpdate(known, before, object, definition.shape, manager)
    }
    for (const plugin of this.#plugins) plugin.validate?.(request)
    if (sameJson(object, before)) return current
    const complete = object as unknown as KubeObject
    if (context.dryRun) return complete
    const finalizers = complete.metadata.finalizers?.length ?? 0
    const waited = current.metadata.deletionTimestamp !== undefined && (current.metadata.finalizers?.length ?? 0) > 0
    if (waited && finalizers === 0 && definition.key !== 'pods') {
      this.store.remove(definition.key, complete)
      return complete
    }
    return this.store.put(definition.key, complete)
  }

  #current(definition: ResourceDefinition, namespace: string | undefined, name: string): KubeObject {
    const current = this.store.get(definition.key, namespace, name)
    if (!current) throw ApiError.notFound(definition, name)
    return current
  }

  #incoming(definition: ResourceDefinition, namespace: string | undefined, body: Dict): Dict {
    const wanted = apiVersionOf(definition)
    const { kind = definition.kind, apiVersion = wanted } = body
    if (kind !== definition.kind || apiVersion !== wanted) {
      throw ApiError.badRequest(
        `${kind} in version "${apiVersion}" cannot be handled as a ${definition.kind}: no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:110"`,
      )
    }
    const { kind: _kind, apiVersion: _apiVersion, metadata: given, ...rest } = structuredClone(body)
    const metadata = dictOf(given)
    if (definition.namespaced) {
      if (metadata.namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace) {
        throw ApiError.badRequest(
          'the namespace of the provided object does not match the namespace sent on the request',
        )
      }
      metadata.namespace = namespace
    } else delete metadata.namespace
    for (const field of ['labels', 'annotations', 'ownerReferences', 'finalizers']) {
      if (isEmpty(metadata[field])) delete metadata[field]
    }
    return { kind, apiVersion, metadata, ...rest }
  }

  #prepare(request: AdmissionRequest, context: WriteContext, body: Dict): void {
    const { definition, object, oldObject } = request
    if (!object) return
    const unknown = definition.prune?.(object) ?? []
    if (unknown.length > 0 && !applied.has(body)) reportUnknown(definition, unknown, context)
    for (const plugin of this.#plugins) plugin.mutate?.(request)
    definition.defaults?.(object, oldObject)
    const errors = request.operation === 'CREATE' ? validateName(definition, request.name) : []
    errors.push(...(definition.validate?.(object, context.internal ? undefined : oldObject) ?? []))
    if (errors.length > 0) throw ApiError.invalid(definition, request.name, errors)
  }

  #request(
    operation: 'CREATE' | 'UPDATE',
    definition: ResourceDefinition,
    namespace: string | undefined,
    name: string,
    context: WriteContext,
    object: Dict,
    oldObject: Dict | undefined,
    subresource?: string,
  ): AdmissionRequest {
    const { user, dryRun, warnings } = context
    return { operation, definition, subresource, namespace, name, user, dryRun, object, oldObject, warnings }
  }
}

/** Results of server-side apply on their way to storage: they bring their managedFields. */
const applied = new WeakSet<Dict>()

function managerOf(definition: ResourceDefinition, context: WriteContext, subresource?: string) {
  return { name: context.manager, operation: 'Update' as const, apiVersion: apiVersionOf(definition), subresource }
}

function keepSystemFields(metadata: Dict, current: KubeObject): void {
  const kept = current.metadata as unknown as Dict
  for (const field of systemFields) {
    if (kept[field] === undefined) delete metadata[field]
    else metadata[field] = kept[field]
  }
  metadata.managedFields ??= kept.managedFields
}

const systemFields = [
  'name',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generateName',
]

function specOf(object: Dict): Dict {
  const { metadata: _, status: __, ...rest } = object
  return rest
}

function isEmpty(value: unknown): boolean {
  if (value === null) return true
  return Array.isArray(value) ? value.length === 0 : isDict(value) && Object.keys(value).length === 0
}

function reportUnknown(definition: ResourceDefinition, paths: readonly string[], context: WriteContext): void {
  if (context.validation === 'Ignore') return
  const texts = paths.map((path) => `unknown field "${path}"`)
  if (context.validation === 'Warn') context.warnings.push(...texts)
  else {
    const message = `${definition.kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: strict decoding error: ${texts.join(', ')}`
    throw ApiError.badRequest(message)
  }
}
