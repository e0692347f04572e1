import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../admission/admission.ts'
import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, dig, isDict, stringOf } from '../json.ts'
import type { ResourceDefinition } from '../resources/definition.ts'
import type { Store } from '../store/store.ts'
import { answer } from './answer.ts'
import { readBody, readObject } from './body.ts'
import type { DeleteOptions, Deleter } from './deletion.ts'
import type { RequestInfo, ResourceRequest } from './request-info.ts'
import { patchScale, scaleOf } from './scale.ts'
import { selectionOf } from './selection.ts'
import type { WriteContext } from './write-context.ts'
import type { PatchKind, Writer } from './writer.ts'

export interface WriteTarget {
  readonly definition: ResourceDefinition
  readonly resource: ResourceRequest
  readonly info: RequestInfo
  readonly user: Principal
}

const patchKinds: Record<string, PatchKind> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

/** create, update, patch, delete, deletecollection of objects and of their status and scale. */
export class WriteHandler {
  readonly #writer: Writer
  readonly #deleter: Deleter
  readonly #store: Store

  constructor(store: Store, writer: Writer, deleter: Deleter) {
    this.#store = store
    this.#writer = writer
    this.#deleter = deleter
  }

  async handle(target: WriteTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { info, resource, definition } = target
    const context = contextOf(target, request)
    const namespace = definition.namespaced ? resource.namespace : undefined
    const name = resource.name ?? ''
    const done = (code: number, body: unknown) => {
      for (const warning of context.warnings) response.appendHeader('warning', `299 - ${JSON.stringify(warning)}`)
      answer(response, code, body)
    }
    switch (info.verb) {
      case 'create': {
        const body = await readObject(request)
        done(201, this.#writer.create(definition, namespace, body, context))
        return
      }
      case 'update': {
        const body = await readObject(request)
        if (resource.subresource === 'scale') {
          const scaled = patchScale(this.#store, definition, namespace, name, body)
          done(200, scaleOf(this.#writer.update(definition, namespace, name, scaled, context)))
        } else if (resource.subresource === 'finalize') {
          const internal = { ...context, internal: true }
          done(200, this.#writer.update(definition, undefined, name, body, internal))
        } else done(200, this.#writer.update(definition, namespace, name, body, context, resource.subresource))
        return
      }
      case 'patch': {
        const kind = patchKindOf(request, definition)
        const body = await readBody(request)
        if (resource.subresource === 'scale') {
          const scaled = { spec: { replicas: dig(body, 'spec', 'replicas') } }
          done(200, scaleOf(this.#writer.patch(definition, namespace, name, 'merge', scaled, context)))
          return
        }
        const existed = this.#store.get(definition.key, namespace, name) !== undefined
        const object = this.#writer.patch(definition, namespace, name, kind, body, context, resource.subresource)
        done(existed ? 200 : 201, object)
        return
      }
      case 'delete': {
        const options = deleteOptions(await readBody(request), info.query)
        const { object, gone } = this.#deleter.delete(definition, namespace, name, options, context)
        done(
          200,
          gone && !definition.returnsDeleted ? deleted(definition, object.metadata.name, object.metadata.uid) : object,
        )
        return
      }
      case 'deletecollection': {
        const options = deleteOptions(await readBody(request), info.query)
        const selection = selectionOf(definition, namespace, info.query)
        const items = this.#store.list(definition.key).filter(selection)
        for (const { metadata } of items)
          this.#deleter.delete(definition, metadata.namespace, metadata.name, options, context)
        const metadata = { resourceVersion: String(this.#store.revision) }
        done(200, { kind: definition.listKind, apiVersion: items[0]?.apiVersion ?? 'v1', metadata, items })
        return
      }
      default:
        throw ApiError.methodNotAllowed()
    }
  }
}

function contextOf({ info, user }: WriteTarget, request: IncomingMessage): WriteContext {
  const validation = info.query.get('fieldValidation')
  const dryRun = info.query.get('dryRun')
  if (dryRun !== null && dryRun !== '' && dryRun !== 'All') {
    const message = `Unsupported value: ${JSON.stringify([dryRun])}: supported values: "All"`
    const kind =
      { create: 'CreateOptions', patch: 'PatchOptions', update: 'UpdateOptions' }[info.verb] ?? 'DeleteOptions'
    throw ApiError.invalid({ group: 'meta.k8s.io', plural: '', kind }, '', [
      { reason: 'FieldValueNotSupported', field: 'dryRun', message },
    ])
  }
  const agent = request.headers['user-agent']?.split('/')[0] ?? 'unknown'
  const isApply = request.headers['content-type']?.startsWith('application/apply-patch') === true
  return {
    user,
    manager: info.query.get('fieldManager') ?? (isApply ? '' : agent),
    dryRun: dryRun === 'All',
    validation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
    force: info.query.get('force') === 'true',
    warnings: [],
    internal: false,
  }
}

function patchKindOf(request: IncomingMessage, definition: ResourceDefinition): PatchKind {
  const type = request.headers['content-type']?.split(';')[0]?.trim() ?? ''
  const kind = patchKinds[type]
  const custom = definition.prune !== undefined
  if (!kind) throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
  if (!(kind === 'strategic' && custom)) return kind
  const accepted = Object.keys(patchKinds).filter((each) => !custom || patchKinds[each] !== 'strategic')
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`
  throw new ApiError(415, 'UnsupportedMediaType', message, {})
}

function deleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const options = isDict(body) ? body : {}
  const grace = options.gracePeriodSeconds ?? query.get('gracePeriodSeconds') ?? undefined
  const orphan = options.orphanDependents ?? query.get('orphanDependents') ?? undefined
  return {
    gracePeriodSeconds: grace === undefined ? undefined : Number(grace),
    propagationPolicy:
      stringOf(options.propagationPolicy) ??
      query.get('propagationPolicy') ??
      (String(orphan) === 'true' ? 'Orphan' : undefined),
    preconditions: dictOf(options.preconditions),
  }
}

function deleted(definition: ResourceDefinition, name: string, uid: string | undefined): Dict {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(definition.group === '' ? {} : { group: definition.group }), kind: definition.plural, uid },
  }
}
