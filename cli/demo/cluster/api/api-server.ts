import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { KubeObject } from '../../../../src/kube/types.ts'
import { ApiError } from '../api-error.ts'
import type { ContainerProcess } from '../kubelet/supervisor.ts'
import type { PodPorts } from '../network/reach.ts'
import type { Catalogue } from '../resources/catalogue.ts'
import type { ResourceDefinition } from '../resources/definition.ts'
import type { Store } from '../store/store.ts'
import { answer, answerError, answerText } from './answer.ts'
import type { Authenticator } from './authenticator.ts'
import { authorizeRequest } from './authorize-request.ts'
import type { Authorizer } from './authorizer.ts'
import { readObject } from './body.ts'
import type { Deleter } from './deletion.ts'
import { aggregatedType, discover, isAggregated, versionInfo } from './discovery.ts'
import { serveEviction } from './eviction.ts'
import { serveExec } from './exec.ts'
import { listBody, pageOf } from './list.ts'
import { openApi } from './open-api.ts'
import { servePodLog } from './pod-log.ts'
import { servePortForward } from './port-forward.ts'
import { proxyRequest, proxyUpgrade } from './proxy.ts'
import { type ProxyTarget, podTarget, serviceTarget } from './proxy-target.ts'
import { isTrue, type RequestInfo, readRequest } from './request-info.ts'
import { Reviews } from './reviews.ts'
import { scaleOf } from './scale.ts'
import { selectionOf } from './selection.ts'
import { StalledListener } from './stalled-listener.ts'
import { tableOf, wantsTable } from './table.ts'
import { protocolToken, refuseUpgrade } from './upgrade.ts'
import { serveWatch } from './watch.ts'
import { WriteHandler, type WriteTarget } from './write.ts'
import type { Writer } from './writer.ts'

/** What the kubelet knows and the API server asks. */
export interface PodLogs {
  /** undefined where the container has not started. */
  logOf(
    pod: KubeObject,
    container: string | undefined,
    previous: boolean,
  ): { file: string; running: () => boolean } | undefined
}

export interface PodCommands {
  /** How a command is started in a container (default: the first); undefined where that does not run. */
  commandIn(
    pod: KubeObject,
    container: string | undefined,
    command: string[],
  ): Omit<ContainerProcess, 'log'> | undefined
}

export interface ApiServerParts {
  readonly store: Store
  readonly catalogue: Catalogue
  readonly writer: Writer
  readonly deleter: Deleter
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly podPorts: PodPorts
  readonly podLogs: PodLogs
  readonly podCommands: PodCommands
  /** PEM. */
  readonly tls: { readonly key: string; readonly cert: string }
}

const readVerbs = new Set(['get', 'list', 'watch'])

/** The HTTPS front of the cluster: authentication, authorization, and the way of each request to what answers it. */
export class ApiServer {
  readonly #parts: ApiServerParts
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #secure = new Set<TLSSocket>()
  #stall: StalledListener | undefined
  readonly #writes: WriteHandler
  readonly #reviews: Reviews
  #port = 0

  constructor(parts: ApiServerParts) {
    this.#parts = parts
    this.#writes = new WriteHandler(parts.store, parts.writer, parts.deleter)
    this.#reviews = new Reviews(parts.store, parts.authenticator, parts.authorizer)
    this.#server = createServer({ ...parts.tls, noDelay: true, keepAliveTimeout: 120_000, requestTimeout: 0 })
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      this.#secure.add(socket)
      socket.on('close', () => this.#secure.delete(socket))
    })
    this.#server.on('request', (request, response) => {
      this.#serve(request, response).catch((error: unknown) => answerError(response, error))
    })
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** https://127.0.0.1:PORT; the port stays the same over pause and resume. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  async listen(): Promise<void> {
    this.#server.listen({ host: '127.0.0.1', port: this.#port })
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Answers nobody until `unstall`: new connections are accepted and not read, open ones stay open and silent. */
  async stall(): Promise<void> {
    this.#server.close()
    this.#stall = await StalledListener.start(this.#port, this.#secure)
  }

  /** Open connections go on where they were; those made meanwhile are closed. */
  async unstall(): Promise<void> {
    const stall = this.#stall
    this.#stall = undefined
    await stall?.end()
    if (stall) await this.listen()
  }

  /** Ends all connections and refuses new ones until `listen`. */
  async close(): Promise<void> {
    if (this.#stall) await this.unstall()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const info = readRequest(request.method ?? 'GET', request.url ?? '/')
    const user = this.#parts.authenticator.authenticate(request.headers.authorization)
    authorizeRequest(this.#parts.authorizer, user, info)
    if (!info.resource) {
      this.#serveOther(info, request, response)
      return
    }
    const definition = this.#definitionOf(info, response)
    if (!definition) return
    await this.#serveResource({ definition, info, resource: info.resource, user }, request, response)
  }

  async #serveResource(target: WriteTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { definition, info, resource, user } = target
    const { store, authenticator: _ } = this.#parts
    if (resource.subresource === 'proxy') {
      if (resource.rest === undefined) {
        response.writeHead(301, { location: `${info.path}/` }).end()
        return
      }
      const proxied = this.#proxyTarget(target)
      await proxyRequest(proxied, `${resource.rest}${queryOf(request)}`, request, response)
      return
    }
    if (definition.columns.length === 0 && definition.verbs.length === 1) {
      const body = await readObject(request)
      answer(response, 201, this.#reviews.answer(definition, body, user))
      return
    }
    if (definition.key === 'endpoints') {
      response.setHeader(
        'warning',
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"',
      )
    }
    const namespace = definition.namespaced ? resource.namespace : undefined
    if (resource.subresource === 'token' && info.verb === 'create') {
      answer(response, 201, this.#reviews.issueToken(namespace ?? '', resource.name ?? '', await readObject(request)))
      return
    }
    if (resource.subresource === 'eviction' && info.verb === 'create') {
      answer(response, 201, serveEviction(target, this.#parts.deleter))
      return
    }
    if (!readVerbs.has(info.verb)) {
      await this.#writes.handle(target, request, response)
      return
    }
    const accept = request.headers.accept
    if (info.verb === 'watch' || (info.verb === 'get' && isTrue(info.query.get('watch')))) {
      const selection = selectionOf(definition, namespace, info.query)
      const named = resource.name
      serveWatch(
        store,
        definition,
        named ? (object) => object.metadata.name === named && selection(object) : selection,
        info.query,
        accept,
        response,
      )
      return
    }
    if (info.verb === 'list') {
      const page = pageOf(store, definition, selectionOf(definition, namespace, info.query), info.query)
      answer(
        response,
        200,
        wantsTable(accept)
          ? tableOf(definition, page.items, page.metadata, info.query.get('includeObject'))
          : listBody(definition, page, definition.prune !== undefined),
      )
      return
    }
    const object = store.get(definition.key, namespace, resource.name ?? '')
    if (!object) throw ApiError.notFound(definition, resource.name ?? '')
    if (resource.subresource === 'log') {
      await this.#serveLog(object, info, response)
      return
    }
    if (resource.subresource === 'scale') {
      answer(response, 200, scaleOf(object))
      return
    }
    const metadata = { resourceVersion: object.metadata.resourceVersion }
    answer(
      response,
      200,
      wantsTable(accept) ? tableOf(definition, [object], metadata, info.query.get('includeObject')) : object,
    )
  }

  async #serveLog(pod: KubeObject, info: RequestInfo, response: ServerResponse): Promise<void> {
    const container = info.query.get('container') ?? undefined
    const log = this.#parts.podLogs.logOf(pod, container, isTrue(info.query.get('previous')))
    if (!log) {
      const where = container === undefined ? '' : ` container "${container}" in`
      throw ApiError.badRequest(`${where} pod "${pod.metadata.name}" is waiting to start: ContainerCreating`.trim())
    }
    await servePodLog(log.file, info.query, log.running, response)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      const info = readRequest(request.method ?? 'GET', request.url ?? '/')
      const user = this.#parts.authenticator.authenticate(request.headers.authorization ?? protocolToken(request))
      authorizeRequest(this.#parts.authorizer, user, info)
      const definition = this.#definitionOf(info, undefined)
      const { resource } = info
      if (!definition || !resource) throw ApiError.noResource()
      if (resource.subresource === 'proxy') {
        proxyUpgrade(
          this.#proxyTarget({ definition, info, resource, user }),
          resource.rest ?? '/',
          request,
          socket,
          head,
        )
      } else if (resource.subresource === 'portforward') {
        const pod = this.#parts.store.get('pods', resource.namespace, resource.name ?? '')
        if (!pod) throw ApiError.notFound(definition, resource.name ?? '')
        servePortForward(pod, info.query, this.#parts.podPorts, request, socket, head)
      } else if (resource.subresource === 'exec') {
        const pod = this.#parts.store.get('pods', resource.namespace, resource.name ?? '')
        if (!pod) throw ApiError.notFound(definition, resource.name ?? '')
        const prepare = (container: string | undefined, command: string[]) => {
          const process = this.#parts.podCommands.commandIn(pod, container, command)
          if (!process)
            throw ApiError.badRequest(`container ${container ?? ''} of pod ${pod.metadata.name} does not run`)
          return process
        }
        serveExec(info.query, prepare, request, socket, head)
      } else throw ApiError.badRequest('unable to upgrade: this resource has no stream')
    } catch (error) {
      refuseUpgrade(socket, error)
    }
  }

  #proxyTarget({ definition, resource }: WriteTarget): ProxyTarget {
    const { store, podPorts } = this.#parts
    const namespace = resource.namespace ?? ''
    const name = resource.name ?? ''
    if (definition.key === 'pods') return podTarget(store, podPorts, namespace, name)
    if (definition.key === 'services') return serviceTarget(store, namespace, name)
    throw ApiError.noResource()
  }

  #definitionOf(info: RequestInfo, response: ServerResponse | undefined): ResourceDefinition | undefined {
    const { resource } = info
    if (!resource) return undefined
    const { group, version, plural, subresource } = resource
    const definition = this.#parts.catalogue.find(group, version, plural)
    if (!definition) {
      const known = this.#parts.catalogue.all().some((each) => each.group === group && each.version === version)
      if (!known && response) {
        answerText(response, 404, '404 page not found\n')
        return undefined
      }
      throw ApiError.noResource()
    }
    if (subresource !== undefined) {
      const found = definition.subresources.find((each) => each.name === subresource)
      if (!found) throw ApiError.noResource()
      if (!found.verbs.includes(info.verb)) throw ApiError.methodNotAllowed()
    } else if (!definition.verbs.includes(info.verb)) throw ApiError.methodNotAllowed()
    if (definition.namespaced && resource.namespace === undefined && info.verb === 'create')
      throw ApiError.methodNotAllowed()
    return definition
  }

  #serveOther(info: RequestInfo, request: IncomingMessage, response: ServerResponse): void {
    const { catalogue } = this.#parts
    if (info.path === '/version') answer(response, 200, versionInfo)
    else if (/^\/(healthz|livez|readyz)(\/|$)/.test(info.path)) answerText(response, 200, 'ok')
    else {
      const found =
        discover(info.path, request.headers.accept, catalogue, `127.0.0.1:${this.#port}`) ??
        openApi(info.path, catalogue)
      if (!found) answerText(response, 404, '404 page not found\n')
      else answer(response, 200, found, isAggregated(found) ? aggregatedType : 'application/json')
    }
  }
}

function queryOf(request: IncomingMessage): string {
  const mark = request.url?.indexOf('?') ?? -1
  return mark < 0 ? '' : (request.url ?? '').slice(mark)
}
