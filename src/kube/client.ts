import type { Duplex } from 'node:stream'
import { isKubeError } from './error.ts'
import { execCommand } from './exec-command.ts'
import { type InformerTuning, startInformer } from './informer.ts'
import { listAll } from './list.ts'
import { pathOf, queryOf, resourceInPath } from './paths.ts'
import { openPortForward } from './port-forward.ts'
import type { Transport } from './transport.ts'
import type {
  CommandResult,
  ContainerCommand,
  Informer,
  Kube,
  KubeObject,
  ListOptions,
  PatchOptions,
  ResourceType,
} from './types.ts'

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

const defaultFieldManager = 'intercept'

/** Kube over HTTP. `namespace` is the one that the person chose, else the context's. */
export class KubeClient implements Kube {
  readonly server: string
  readonly context: string
  readonly namespace: string
  readonly #transport: Transport
  readonly #tuning: Partial<InformerTuning>
  readonly #signal: AbortSignal | undefined

  constructor(
    transport: Transport,
    options: { signal?: AbortSignal | undefined; tuning?: Partial<InformerTuning> } = {},
  ) {
    this.#transport = transport
    this.#tuning = options.tuning ?? {}
    this.#signal = options.signal
    this.server = transport.access.server
    this.context = transport.access.context
    this.namespace = transport.access.namespace
  }

  get<T extends KubeObject>(type: ResourceType, namespace: string | undefined, name: string): Promise<T> {
    return this.#send<T>('get', 'GET', type, namespace, name)
  }

  async find<T extends KubeObject>(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
  ): Promise<T | undefined> {
    try {
      return await this.get<T>(type, namespace, name)
    } catch (error) {
      if (isKubeError(error, 'not-found')) return undefined
      throw error
    }
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<T[]> {
    return (await listAll<T>(this.#transport, type, options)).items
  }

  create<T extends KubeObject>(type: ResourceType, object: T, options: { dryRun?: boolean } = {}): Promise<T> {
    const query = queryOf({ fieldManager: defaultFieldManager, dryRun: options.dryRun ? 'All' : undefined })
    return this.#send<T>('create', 'POST', type, object.metadata.namespace, undefined, { query, body: object })
  }

  patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    body: unknown,
    options: PatchOptions,
  ): Promise<T> {
    const query = queryOf({
      fieldManager: options.fieldManager ?? defaultFieldManager,
      force: options.type === 'apply' && options.force ? true : undefined,
      dryRun: options.dryRun ? 'All' : undefined,
    })
    return this.#send<T>('patch', 'PATCH', type, namespace, name, {
      query,
      body,
      subresource: options.subresource,
      contentType: patchTypes[options.type],
      repeatable: options.type !== 'json',
    })
  }

  async delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: { uid?: string; gracePeriodSeconds?: number; propagation?: 'Background' | 'Foreground' } = {},
  ): Promise<void> {
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: options.uid === undefined ? undefined : { uid: options.uid },
      gracePeriodSeconds: options.gracePeriodSeconds,
      propagationPolicy: options.propagation,
    }
    try {
      await this.#send('delete', 'DELETE', type, namespace, name, { body, repeatable: true })
    } catch (error) {
      const gone = isKubeError(error, 'not-found') || (options.uid !== undefined && isKubeError(error, 'conflict'))
      if (!gone) throw error
    }
  }

  inform<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Informer<T> {
    return startInformer<T>(this.#transport, type, options, { tuning: this.#tuning, signal: this.#signal })
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = await this.#transport.exchange({
      method,
      path,
      verb: verbs[method] ?? method.toLowerCase(),
      ...resourceInPath(path),
      body: body === undefined ? undefined : JSON.stringify(body),
      repeatable: method === 'GET' || method === 'HEAD',
    })
    // Endpoints such as /readyz answer plain text.
    return (/^\s*[[{"]/.test(text) ? JSON.parse(text) : text) as T
  }

  async whoAmI(): Promise<{ username: string; groups: string[] }> {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const answer = await this.request<{ status?: { userInfo?: { username?: string; groups?: string[] } } }>(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      review,
    )
    const { username = '', groups = [] } = answer.status?.userInfo ?? {}
    return { username, groups }
  }

  async may(access: Parameters<Kube['may']>[0]): Promise<boolean> {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: access },
    }
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const answer = await this.request<{ status?: { allowed?: boolean } }>('POST', path, review)
    return answer.status?.allowed === true
  }

  webSocketTarget(path: string): Promise<{ url: string; headers: Record<string, string>; options: object }> {
    return this.#transport.upgradeTarget(path)
  }

  portForward(namespace: string, pod: string, port: number): Promise<Duplex> {
    return openPortForward(this.#transport, namespace, pod, port)
  }

  execCommand(namespace: string, pod: string, command: ContainerCommand): Promise<CommandResult> {
    return execCommand(this.#transport, namespace, pod, command)
  }

  /** Closes idle connections; the client can still be used. */
  close(): void {
    this.#transport.close()
  }

  async #send<T>(
    verb: string,
    method: string,
    type: ResourceType,
    namespace: string | undefined,
    name: string | undefined,
    extra: {
      query?: string
      body?: unknown
      subresource?: string | undefined
      contentType?: string
      repeatable?: boolean
    } = {},
  ): Promise<T> {
    const text = await this.#transport.exchange({
      method,
      verb,
      path: `${pathOf(type, namespace, name, extra.subresource)}${extra.query ?? ''}`,
      group: type.group,
      resource: extra.subresource === undefined ? type.plural : `${type.plural}/${extra.subresource}`,
      namespace: type.namespaced ? namespace : undefined,
      name,
      body: extra.body === undefined ? undefined : JSON.stringify(extra.body),
      ...(extra.contentType === undefined ? {} : { contentType: extra.contentType }),
      repeatable: extra.repeatable ?? method === 'GET',
    })
    return JSON.parse(text) as T
  }
}
