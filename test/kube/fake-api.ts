import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

type Handler = (request: SeenRequest, response: ServerResponse) => void | Promise<void>

/** An HTTP server that answers as one test tells it to, and remembers what it was asked. */
export class FakeApi {
  readonly requests: SeenRequest[] = []
  readonly sockets = new Set<Socket>()
  handler: Handler = (_request, response) => status(response, 500, 'InternalError', 'no handler')
  readonly server: http.Server

  constructor() {
    this.server = http.createServer((request, response) => void this.#serve(request, response))
    this.server.on('connection', (socket) => {
      this.sockets.add(socket)
      socket.once('close', () => this.sockets.delete(socket))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return this
  }

  /** Breaks every connection, as a load balancer does that restarts. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy()
  }

  async stop(): Promise<void> {
    this.cut()
    this.server.close()
    if (this.server.listening) await once(this.server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    request.setEncoding('utf8')
    for await (const chunk of request) body += chunk
    const url = new URL(request.url ?? '/', 'http://fake')
    const seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    }
    this.requests.push(seen)
    await this.handler(seen, response)
  }
}

export function json(response: ServerResponse, value: unknown, code = 200): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

/** The API server's way of refusing. */
export function status(response: ServerResponse, code: number, reason: string, message: string): void {
  json(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }, code)
}
