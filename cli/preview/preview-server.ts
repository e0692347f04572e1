import { once } from 'node:events'
import { type Agent, createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxyServer } from 'httpxy'
import { codeOf, InterceptError, messageOf } from '../../src/errors.ts'
import { whyForeign } from './guard.ts'
import type { PathOwner, PathRoutes } from './path-routes.ts'
import { type Personal, personalize } from './personal.ts'
import { type Origins, rewriteAnswer, rewriteRequest } from './rewrite.ts'

export interface PreviewParts {
  /** Of what is shown, first the one that requests name: `http://web.shop`. */
  readonly remote: readonly [string, ...string[]]
  /** Connects to it. */
  readonly agent: Agent
  readonly personal: Personal
  readonly paths: PathRoutes
  onRequest(request: { method: string; url: string; status: number; owner: PathOwner; milliseconds: number }): void
  onFailure(request: { method: string; url: string; reason: string }): void
}

/** A loopback page that shows a Service of the cluster with a personal header on every request. */
export class PreviewServer {
  readonly #parts: PreviewParts
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Duplex>()
  /** The page's own origin, as the browser of each request names it. */
  readonly #origins = new WeakMap<IncomingMessage, string>()
  /** Requests that a dev server was asked, and what a 404 of it leads to: where it has no such path, the cluster may. */
  readonly #askedLocally = new WeakMap<IncomingMessage, { readonly askCluster: (() => void) | undefined }>()
  readonly #proxy = createProxyServer({ xfwd: false, changeOrigin: false, secure: false })

  constructor(parts: PreviewParts) {
    this.#parts = parts
    this.#proxy.on('proxyRes', (answer, request, response) => this.#answered(answer, request, response))
    this.#proxy.on('error', (error, request, response) => this.#failed(error, request, response))
  }

  /** @param port 0 for any free one. @returns the address of the page. @throws InterceptError 'port-in-use' */
  async listen(port: number): Promise<string> {
    const first = await this.#listenOn('127.0.0.1', port)
    // A browser may take localhost for either.
    await this.#listenOn('::1', first).catch((error: unknown) => {
      if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EADDRINUSE'].includes(codeOf(error) ?? '')) throw error
    })
    return `http://localhost:${first}`
  }

  close(): void {
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#parts.agent.destroy()
  }

  async #listenOn(host: string, port: number): Promise<number> {
    // A request may be held at a breakpoint for as long as one likes.
    const server = createServer({ requestTimeout: 0 }, (request, response) => this.#serve(request, response))
    server.on('upgrade', (request, socket) => this.#upgrade(request, socket as Socket))
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.listen({ host, port })
    await once(server, 'listening').catch((cause: unknown) => {
      if (codeOf(cause) !== 'EADDRINUSE' || host !== '127.0.0.1') throw cause
      throw new InterceptError('port-in-use', `port ${port} of this machine is taken`, {
        cause,
        fix: 'another --listen PORT, or none for any free one',
      })
    })
    this.#servers.push(server)
    return (server.address() as AddressInfo).port
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const foreign = whyForeign(request)
    if (foreign !== undefined) return void reply(response, 403, `intercept preview: ${foreign}`)
    const startedAt = performance.now()
    const { method = '', url = '/' } = request
    const owner = this.#parts.paths.ownerOf(url)
    response.on('finish', () => {
      const milliseconds = performance.now() - startedAt
      this.#parts.onRequest({ method, url, status: response.statusCode, owner, milliseconds })
    })
    this.#origins.set(request, `http://${request.headers.host}`)
    personalize(request.headers, this.#parts.personal)
    if (owner === 'cluster') return void this.#toCluster(request, response)
    const askCluster = hasNoBody(request) ? () => this.#toCluster(request, response) : undefined
    this.#askedLocally.set(request, { askCluster })
    const target = `http://localhost:${owner.localPort}`
    void this.#proxy.web(request, response, { target, selfHandleResponse: true })
  }

  #toCluster(request: IncomingMessage, response: ServerResponse): void {
    this.#askedLocally.delete(request)
    rewriteRequest(request.headers, this.#originsOf(request))
    void this.#proxy.web(request, response, { target: this.#parts.remote[0], agent: this.#parts.agent })
  }

  #upgrade(request: IncomingMessage, socket: Socket): void {
    const foreign = whyForeign(request)
    if (foreign !== undefined) return void socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
    const owner = this.#parts.paths.ownerOf(request.url ?? '/')
    this.#origins.set(request, `http://${request.headers.host}`)
    personalize(request.headers, this.#parts.personal)
    if (owner !== 'cluster')
      return void this.#proxy.ws(request, socket, { target: `http://localhost:${owner.localPort}` })
    rewriteRequest(request.headers, this.#originsOf(request))
    void this.#proxy.ws(request, socket, { target: this.#parts.remote[0], agent: this.#parts.agent })
  }

  #answered(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    const local = this.#askedLocally.get(request)
    if (!local) return void rewriteAnswer(answer.headers, this.#originsOf(request))
    if (local.askCluster && answer.statusCode === 404) {
      answer.resume()
      local.askCluster()
      return
    }
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders)
    answer.pipe(response)
  }

  #failed(error: Error, request?: IncomingMessage, response?: ServerResponse | Socket): void {
    // The page was closed: nobody waits for an answer.
    if (response?.destroyed) return
    const reason = messageOf(error)
    this.#parts.onFailure({ method: request?.method ?? '', url: request?.url ?? '', reason })
    if (response instanceof ServerResponse) {
      if (response.headersSent) response.destroy()
      else reply(response, 502, `intercept preview: no answer to ${request?.method} ${request?.url}: ${reason}`)
    } else {
      response?.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n')
    }
  }

  #originsOf(request: IncomingMessage): Origins {
    return { local: this.#origins.get(request) ?? '', remote: this.#parts.remote }
  }
}

const hasNoBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(`${text}\n`)
}
